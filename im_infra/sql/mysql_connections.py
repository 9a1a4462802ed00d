"""Connections to MySQL and MariaDB: who we are, TLS, and what every session is told.

Each session is told what correctness rests on, whatever the server's own defaults are: the isolation, strict mode (bad
data is refused, never cut), UTC (a local hour that comes twice would turn the clock back) and how long it waits for
locks.
"""

import asyncio
import math
import ssl
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any, Final

from asyncmy.connection import Connection as DriverConnection
from asyncmy.constants import CLIENT
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from im_infra.sql.mysql_packets import Packets
from im_infra.sql.settings import MysqlSettings, MysqlTlsSettings
from im_infra.sql.statements import SHORTCUT

_SQL_MODE: Final = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION"
_STALLED_S: Final = 30
"""MariaDB ends a write transaction whose owner says nothing for so long: a frozen process must not keep its locks."""


class Purpose(Enum):
    """What a pool's connections are for."""

    APPEND = auto()
    """Writes whose statements travel together."""
    WRITE = auto()
    READ = auto()
    """One snapshot a transaction."""


def make_engine(settings: MysqlSettings, purpose: Purpose, *, connections: int) -> AsyncEngine:
    """A pool of at most `connections`; whoever finds none free waits.

    Raises:
        OSError: a PEM file cannot be read.
    """
    engine = create_async_engine(
        "mysql+asyncmy://",
        async_creator=_creator(settings, purpose),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=settings.unit_timeout_s,
        pool_reset_on_return=None,  # transactions are ended before: a rollback more would be a round trip more
        pool_use_lifo=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the driver's, adapted
        if purpose is Purpose.APPEND:
            entry.info[SHORTCUT] = Packets(connection.driver_connection)

    @event.listens_for(engine.sync_engine, "checkout")
    def _look(connection: Any, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:  # noqa: ANN401 - as above
        # After a restart of the server the ends of its connections have arrived already: no unit has to find out.
        if connection.driver_connection._stream_broken:  # noqa: SLF001 - no other name
            raise DisconnectionError

    return engine


def _creator(settings: MysqlSettings, purpose: Purpose) -> Callable[[], Awaitable[DriverConnection]]:
    tls = _tls_context(settings.tls)

    async def connect() -> DriverConnection:
        connection = DriverConnection(
            host=settings.host,
            port=settings.port,
            user=settings.user,
            password=settings.password.get_secret_value().encode(),
            database=settings.database,
            charset="utf8mb4",
            client_flag=CLIENT.FOUND_ROWS,  # an UPDATE counts the rows it finds, changed or not, as SQLite's does
            ssl=tls,
        )
        if purpose is not Purpose.APPEND:
            # The driver asks for it always, where it could turn one injected value into a statement of its own.
            connection._client_flag &= ~CLIENT.MULTI_STATEMENTS  # noqa: SLF001 - there is no other way
        try:
            async with asyncio.timeout(settings.connect_timeout_s):
                await connection.connect()
                for statement in session_statements(settings, purpose):
                    await connection.query(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def session_statements(settings: MysqlSettings, purpose: Purpose) -> tuple[str, ...]:
    """What a new session is told."""
    isolation = "REPEATABLE READ, READ ONLY" if purpose is Purpose.READ else "READ COMMITTED, READ WRITE"
    variables = (
        f"sql_mode = '{_SQL_MODE}', time_zone = '+00:00', innodb_lock_wait_timeout = {settings.lock_wait_timeout_s}, "
        f"lock_wait_timeout = {math.ceil(settings.unit_timeout_s)}"
    )
    # What MySQL passes over: a long IN list stays a range of the index there, instead of becoming a join.
    of_mariadb = f"idle_write_transaction_timeout = {_STALLED_S}, in_predicate_conversion_threshold = 0"
    return (
        f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}",
        f"SET SESSION {variables} /*M!100500 , {of_mariadb} */",
    )


def _tls_context(settings: MysqlTlsSettings) -> ssl.SSLContext | None:
    if not settings.enabled:
        return None
    context = ssl.create_default_context(cafile=settings.ca)
    if settings.certificate is not None:
        context.load_cert_chain(settings.certificate, settings.private_key)
    return context
