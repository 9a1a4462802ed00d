"""One connection to a Redis server: made, greeted, spoken over."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from redis.asyncio.connection import Connection
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from im_infra.cache.settings import RedisSettings

Command = tuple[bytes | int | str, ...]
Reply = Any
"""What the server answered: bytes, an int, None, a list of those, or a `ResponseError` as a value."""

_CLOSE_S: Final = 1.0


class RedisConnection:
    """A connection that is open; anything that goes wrong on it ends it.

    Args:
        connection: the library's.
        run_id: the server's name for its present run.
    """

    def __init__(self, connection: Connection, run_id: str) -> None:
        self._connection = connection
        self.run_id = run_id

    async def exchange(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands together and read their answers: one round trip. Errors of single commands are values.

        Set a deadline. Cancelled, or after any error, the connection is of no use any more.

        Raises:
            RedisError: the connection broke, or the server cannot serve anybody now.
            OSError: likewise.
        """
        connection = self._connection
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        return [await self._reply() for _ in commands]

    async def close(self) -> None:
        """Close it; raises nothing."""
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._connection.disconnect()

    async def _reply(self) -> Reply:
        try:
            return await self._connection.read_response()
        except ResponseError as error:
            return error


class _TlsConnection(Connection):
    """The library's own makes a context for each connection, which takes 100 ms, and trusts the system's authorities besides.

    Args:
        context: what to speak TLS with.
    """

    def __init__(self, *, context: ssl.SSLContext, **options: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(**options)
        self._context = context

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "ssl": self._context}


async def connect(address: str, settings: RedisSettings, context: ssl.SSLContext | None) -> RedisConnection:
    """Open a connection, show who we are, and ask the server for its run. Set a deadline.

    Args:
        address: `host:port`.
        settings: who we are.
        context: what to speak TLS with, one for all connections; None: no TLS.

    Raises:
        RedisError: nobody listens there, its certificate is not trusted, or it does not let us in.
        OSError: likewise.
    """
    connection = _make(address, settings, context)
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
        opened = RedisConnection(connection, "")
        (told,) = await opened.exchange([("INFO", "server")])
        opened.run_id = _run_id(told)
    except BaseException:
        with suppress(RedisError, OSError, TimeoutError):
            await connection.disconnect(nowait=True)
        raise
    return opened


def _make(address: str, settings: RedisSettings, context: ssl.SSLContext | None) -> Connection:
    host, _, port = address.rpartition(":")
    options: dict[str, Any] = {
        "host": host.strip("[]"),
        "port": int(port),
        "username": settings.username or None,
        "password": settings.password.get_secret_value() or None,
        "socket_timeout": None,  # one deadline for a whole round trip is the caller's
        "socket_connect_timeout": settings.timeout_ms / 1000,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
    }
    return Connection(**options) if context is None else _TlsConnection(context=context, **options)


def _run_id(told: Reply) -> str:
    """Of INFO; empty where we may not ask: then data that a server kept over a restart is taken to be up to date."""
    if not isinstance(told, bytes):
        return ""
    for line in told.split(b"\r\n"):
        if line.startswith(b"run_id:"):
            return line[len(b"run_id:") :].decode()
    return ""
