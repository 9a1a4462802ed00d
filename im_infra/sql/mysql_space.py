"""Whether MariaDB waits for space on its disk, which it tells nobody who waits for it.

It holds a COMMIT whose binlog finds no space, and the commits behind it, and looks again a minute later. A held one may
still succeed, and must not be killed: for its rollback there is no space either, and that ends the server (10.11).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from sqlalchemy import Connection

from im_infra.aio import spawn
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.sql.errors import StoreFullError

_LOG: Final = logs.get(__name__)

SLOW_S: Final = 1.5
"""A write that takes longer is worth a look."""
_LOOK_S: Final = 1.0
"""Between looks, and the longest that one may take."""
_WAITS: Final = "the database waits for space on its disk"
_STATE: Final = "Waiting for someone to free space"


class Held(Protocol):
    """A write under way."""

    def give_up(self, why: str) -> None:
        """Let it end now, its outcome unknown."""
        ...


class SpaceWatch:
    """Refuses writes while others are held for want of space, and gives up those that are.

    A write that is in time costs a timer; looks are made while one is slow or the disk is full.

    Args:
        look: whether somebody waits for space; raises ImError where that cannot be told.
    """

    def __init__(self, look: Callable[[], Awaitable[bool]]) -> None:
        self._look = look
        self._under_way: set[Held] = set()  # bounded by the connections
        self._slow: set[Held] = set()
        self._looking: asyncio.Task[None] | None = None
        self._full = False
        self._closed = False

    @contextmanager
    def over(self, write: Held) -> Iterator[None]:
        """Watch a write while the context is open.

        Raises:
            StoreFullError: others wait for space: it is not begun.
        """
        if self._full:
            raise StoreFullError(_WAITS)
        timer = asyncio.get_running_loop().call_later(SLOW_S, self._suspect, write)
        self._under_way.add(write)
        try:
            yield
        finally:
            timer.cancel()
            self._under_way.discard(write)
            self._slow.discard(write)

    async def close(self) -> None:
        """Look no more."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    def _suspect(self, write: Held) -> None:
        self._slow.add(write)
        if not self._closed and (self._looking is None or self._looking.done()):
            self._looking = spawn(self._keep_looking(), name="sql.space")

    async def _keep_looking(self) -> None:
        while self._slow or self._full:
            full = await self._is_full()
            if full is not self._full:
                self._full = full
                _LOG.warning(_WAITS if full else "the database has space again")
            if full:
                while self._under_way:  # what waits for their places is to be refused, not to wait, too
                    self._under_way.pop().give_up(_WAITS)
            await asyncio.sleep(_LOOK_S)

    async def _is_full(self) -> bool:
        try:
            async with asyncio.timeout(_LOOK_S):
                return await self._look()
        except (ImError, TimeoutError):
            return False  # it cannot be reached: writes find out why


def waits_for_space(connection: Connection) -> bool:
    """Whether one of our user's sessions is held. Not from `information_schema`: that may need space itself."""
    return any(row.State == _STATE for row in connection.exec_driver_sql("SHOW PROCESSLIST"))
