"""MariaDB as tests and clusters start it: durable, closed to strangers, whole after a kill."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncmy
import psutil
import pytest
from asyncmy.errors import OperationalError

from im_cli.engines.engine import Engine
from im_cli.engines.mariadb import REQUIREMENTS, MariadbAccount, MariadbTls, mariadb
from im_cli.exit_code import CommandError
from tests.support.certificates import make_authority, make_certificate
from tests.support.engines import require

PASSWORD = 'it\'s \\ "odd"'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require(REQUIREMENTS)
    return tmp_path_factory.mktemp("mariadb")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    with mariadb(folder, MariadbAccount(password=PASSWORD), options=["--innodb-log-file-size=16M"]) as engine:
        yield engine


async def connect(engine: Engine, password: str = PASSWORD, **options: object) -> asyncmy.Connection:
    return await asyncmy.connect(
        host="127.0.0.1", port=engine.port, user="im", password=password, database="im", **options
    )


async def ask(engine: Engine, *statements: str, **options: object) -> tuple[object, ...]:
    connection = await connect(engine, **options)
    async with connection.cursor() as cursor:
        for statement in statements:
            await cursor.execute(statement)
        row = await cursor.fetchone()
    await connection.commit()
    await connection.ensure_closed()
    return row


async def test_what_is_committed_is_synced(engine: Engine) -> None:
    names = ("innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin", "character_set_database")
    assert await ask(engine, f"SELECT {', '.join(f'@@{name}' for name in names)}") == (1, 1, 1, "utf8mb4")


async def test_nobody_comes_in_without_the_password(engine: Engine) -> None:
    with pytest.raises(OperationalError, match="Access denied"):
        await connect(engine, "")
    with pytest.raises(OperationalError, match="Access denied"):
        await asyncmy.connect(host="127.0.0.1", port=engine.port, user="root")


async def test_it_is_reached_from_this_machine_alone(engine: Engine) -> None:
    """Only loopback's address is bound."""
    listening = [one for one in psutil.Process(engine.pid).net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert [one.laddr for one in listening] == [("127.0.0.1", engine.port)]


def test_only_its_owner_reads_the_password(engine: Engine, folder: Path) -> None:
    path = folder / "init.sql"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not any(PASSWORD in part for part in engine.command)


async def test_what_was_committed_is_there_after_a_kill(engine: Engine) -> None:
    """On the same port and with the same account."""
    await ask(engine, "CREATE TABLE thing (id INT)", "INSERT INTO thing VALUES (7)", "SELECT 1")
    engine.kill()
    engine.start()
    assert await ask(engine, "SELECT id FROM thing") == (7,)


def test_data_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    require(REQUIREMENTS)
    (tmp_path / "data").write_text("a file is in the way")
    with pytest.raises(CommandError, match="could not make its data"):
        mariadb(tmp_path, MariadbAccount(password="x"))


async def test_with_tls_it_speaks_nothing_else(tmp_path: Path) -> None:
    """Who knows its authority comes in, who asks for none does not."""
    require(REQUIREMENTS)
    authority = make_authority(tmp_path)
    made = make_certificate(tmp_path, authority)
    tls = MariadbTls(made.certificate, made.key)
    with mariadb(tmp_path / "engine", MariadbAccount(password=PASSWORD), tls=tls) as engine:
        context = ssl.create_default_context(cafile=str(authority.certificate))
        [_, version] = await ask(engine, "SHOW STATUS LIKE 'Ssl_version'", ssl=context)
        assert str(version).startswith("TLS")
        with pytest.raises(OperationalError, match="Access denied"):
            await connect(engine)


def test_the_installer_may_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words are told."""

    def fails(*_arguments: object, **_options: object) -> None:
        raise subprocess.CalledProcessError(1, "mariadb-install-db", stderr="no space left")

    monkeypatch.setattr(subprocess, "run", fails)
    with pytest.raises(CommandError, match="no space left"):
        mariadb(tmp_path, MariadbAccount(password="x"))
