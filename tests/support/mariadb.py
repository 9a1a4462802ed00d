"""One real MariaDB for the tests of a process, and databases in it for each of them."""

import itertools
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pymysql
from pydantic import SecretStr
from pymysql.cursors import Cursor

from im_cli.engines.engine import LOOPBACK, Engine
from im_cli.engines.mariadb import REQUIREMENTS, MariadbAccount, mariadb
from im_infra.sql.settings import MysqlSettings
from tests.support.engines import require

_PASSWORD: Final = "a password of the tests"
_ADMINISTRATOR: Final = "administrator"
_OPTIONS: Final = (
    "--innodb-log-file-size=32M",
    "--innodb-flush-log-at-trx-commit=2",  # a killed server loses nothing either way, and tests cut no power
    "--sync-binlog=0",
    "--innodb-flush-method=nosync",
)


class MariadbServer:
    """A running server, its administrator's hand, and databases with names of their own."""

    def __init__(self, engine: Engine, *, tls: bool = False) -> None:
        self.engine = engine
        self._tls = ssl.create_default_context() if tls else None
        if self._tls is not None:  # the administrator's hand is no part of what is tested
            self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self._numbers = itertools.count(1)

    def administer(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the administrator; the rows of the last one."""
        with self._connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def make_database(self) -> str:
        """An empty database, and its name."""
        name = f"im_{next(self._numbers)}"
        self.administer(f"CREATE DATABASE {name}", f"GRANT ALL ON {name}.* TO im@'%'")
        return name

    def drop_database(self, name: str) -> None:
        """Remove it with all that is in it."""
        self.administer(f"DROP DATABASE {name}")

    def settings(self, database: str, **changes: Any) -> MysqlSettings:
        """How the product reaches it."""
        usual = {"host": LOOPBACK, "port": self.engine.port, "password": SecretStr(_PASSWORD), "database": database}
        return MysqlSettings(**{**usual, **changes})

    @contextmanager
    def transaction(self, database: str, *statements: str) -> Iterator[Cursor]:
        """A transaction of the administrator's, rolled back at the end: holds whatever locks its statements take."""
        with self._connect() as connection, connection.cursor() as cursor:
            connection.select_db(database)
            cursor.execute("BEGIN")
            for statement in statements:
                cursor.execute(statement)
            yield cursor
            connection.rollback()

    def kill_connections(self, database: str) -> int:
        """End every connection of the product's to a database, as a failing network would; how many there were."""
        rows = self.administer(f"SELECT id FROM information_schema.processlist WHERE db = '{database}' AND user = 'im'")
        for (thread,) in rows:
            self.administer(f"KILL {thread}")
        return len(rows)

    def _connect(self) -> "pymysql.Connection[Cursor]":
        return pymysql.connect(
            host=LOOPBACK,
            port=self.engine.port,
            user=_ADMINISTRATOR,
            password=_PASSWORD,
            autocommit=True,
            ssl=self._tls,
        )


@contextmanager
def start_mariadb(
    folder: Path, *, within: Callable[[Sequence[str]], Sequence[str]] | None = None, **arguments: Any
) -> Iterator[MariadbServer]:
    """Start a server in a folder, and stop it at the end; skips where MariaDB is not installed.

    Args:
        folder: for its data.
        within: changes the command that runs it.
        arguments: of `im_cli.engines.mariadb.mariadb`, besides the account.
    """
    require(REQUIREMENTS)
    options = [*_OPTIONS, *arguments.pop("options", ())]
    statements = [
        f"CREATE USER IF NOT EXISTS {_ADMINISTRATOR}@'%' IDENTIFIED BY '{_PASSWORD}'",
        f"GRANT ALL ON *.* TO {_ADMINISTRATOR}@'%' WITH GRANT OPTION",
    ]
    account = MariadbAccount(password=_PASSWORD)
    engine = mariadb(folder, account, options=options, statements=statements, **arguments)
    if within is not None:
        engine.command = within(engine.command)
    with engine:
        yield MariadbServer(engine, tls="tls" in arguments)
