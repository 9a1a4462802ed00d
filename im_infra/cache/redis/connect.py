"""One connection to a Redis server: made, greeted, spoken over.

Its answers are taken apart where the loop brings them, without a task or a stream in between: a batch whose people's routes
are looked up waits for three turns of a busy loop less (docs/decisions/0024). The bytes are hiredis' business both ways, and
what a server's errors mean is the Redis client's.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from hiredis import Reader, pack_command
from redis._parsers.base import BaseParser  # not public: the lock names its version, and tests ask real servers
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import InvalidResponse, RedisError, ResponseError

from im_infra.cache.settings import RedisSettings

Command = tuple[bytes | int | str, ...]
Reply = Any
"""What the server answered: bytes, an int, None, a list of those, or a `ResponseError` as a value."""

OnReplies = Callable[[list[Reply]], None]
"""Takes the answers to commands, in their order; must not raise."""

_CLOSE_S: Final = 1.0
_NOTHING_YET: Final = object()


class RedisConnection(asyncio.Protocol):
    """A connection that is open; anything that goes wrong on it ends it. Made by `connect`."""

    def __init__(self) -> None:
        self.run_id = ""
        """The server's name for its present run."""
        self.lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        """Why it ended, once it has."""
        self._transport: asyncio.Transport
        self._reader = Reader(
            protocolError=InvalidResponse, replyError=BaseParser.parse_error, notEnoughData=_NOTHING_YET
        )
        self._on_replies: OnReplies | None = None
        self._replies: list[Reply] = []
        self._expected = 0

    def send(self, commands: Sequence[Command], on_replies: OnReplies) -> None:
        """Send commands together, one round trip at a time. Errors of single commands are values.

        Args:
            commands: at least one.
            on_replies: told the answers from the loop; never, if the connection ends before: `lost` tells.
        """
        assert self._on_replies is None, "the round trip before is not over"
        self._on_replies = on_replies
        self._expected = len(commands)
        if not self.lost.done():
            packed = b"".join(pack_command(command) for command in commands)  # type: ignore[arg-type]  # any length
            self._transport.write(packed)

    async def exchange(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands and wait for their answers. Set a deadline; cancelled, the connection is of no use any more.

        Raises:
            RedisError: the connection broke, or the server cannot serve anybody now.
        """
        answered: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        self.send(commands, answered.set_result)
        await asyncio.wait((answered, self.lost), return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            # An error of its own: one that is raised keeps its frames, and through them what keeps it.
            raise LostError(str(self.lost.result()))
        return answered.result()

    def end(self, why: Exception) -> None:
        """Give it up at once."""
        if not self.lost.done():
            self.lost.set_result(why)
        self._transport.abort()

    async def close(self) -> None:
        """Close it; raises nothing."""
        self._transport.close()
        await asyncio.wait((self.lost,), timeout=_CLOSE_S)
        self._transport.abort()

    # the loop calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """A piece of the answers came."""
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _NOTHING_YET:
                self._take(reply)
        except RedisError as error:  # it does not speak the protocol, or serves nobody now
            self.end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        if not self.lost.done():
            self.lost.set_result(LostError(str(exc) if exc else "the server closed the connection"))

    def _take(self, reply: Reply) -> None:
        if isinstance(reply, RedisError) and not isinstance(reply, ResponseError):
            raise reply
        if self._on_replies is None:
            raise InvalidResponse("an answer that nobody asked for")
        self._replies.append(reply)
        if len(self._replies) == self._expected:
            on_replies, replies = self._on_replies, self._replies
            self._on_replies, self._replies = None, []
            on_replies(replies)


async def connect(address: str, settings: RedisSettings, context: ssl.SSLContext | None) -> RedisConnection:
    """Open a connection, show who we are, and ask the server for its run. Set a deadline.

    Args:
        address: `host:port`.
        settings: who we are.
        context: what to speak TLS with, one for all connections; None: no TLS.

    Raises:
        RedisError: nobody listens there, its certificate is not trusted, or it does not let us in.
    """
    host, _, port = address.rpartition(":")
    try:
        _, connection = await asyncio.get_running_loop().create_connection(
            RedisConnection, host.strip("[]"), int(port), ssl=context
        )
    except OSError as error:
        raise LostError(f"connecting to {address}: {error}") from error
    try:
        await _greet(connection, settings)
    except BaseException as error:
        connection.end(error if isinstance(error, Exception) else LostError("given up"))
        raise
    return connection


async def _greet(connection: RedisConnection, settings: RedisSettings) -> None:
    password = settings.password.get_secret_value()
    if settings.username or password:
        user = (settings.username,) if settings.username else ()
        (told,) = await connection.exchange([("AUTH", *user, password)])
        if isinstance(told, ResponseError):
            raise told
    (told,) = await connection.exchange([("INFO", "server")])
    connection.run_id = _run_id(told)


def _run_id(told: Reply) -> str:
    """Of INFO; empty where we may not ask: then data that a server kept over a restart is taken to be up to date."""
    if not isinstance(told, bytes):
        return ""
    for line in told.split(b"\r\n"):
        if line.startswith(b"run_id:"):
            return line[len(b"run_id:") :].decode()
    return ""
