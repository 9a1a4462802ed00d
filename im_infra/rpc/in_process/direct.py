"""Both directions of a stream within the process: a frame is handed over by a call, once per turn of the loop."""

import asyncio
from collections.abc import Callable

from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.pace import PaceRule


class DirectEnd:
    """One side's end; made in pairs. A `Duplex`.

    What is given to an end before somebody receives there is kept: a greeting, and what credit and the bound of pushes
    allow.
    """

    def __init__(self) -> None:
        self.other: DirectEnd
        self._take: Callable[[Frame], None] | None = None
        self._early: list[Frame] = []
        self._over = False
        self._error: Exception | None = None
        self._receiving: asyncio.Future[None] | None = None

    def give(self, frame: Frame) -> bool:
        """Take a frame of the other side; False: this end is over."""
        if self._over:
            return False
        if self._take is None:
            self._early.append(frame)
        else:
            self._hand_over(frame)
        return True

    def end(self, error: Exception | None = None) -> None:
        """The other side gives nothing more, in order or because of `error`; the first end counts."""
        if self._over:
            return
        self._over, self._error = True, error
        if self._receiving is not None and not self._receiving.done():
            self._receiving.set_result(None)

    async def receive(self, take: Callable[[Frame], None]) -> None:
        """See `Duplex.receive`."""
        early, self._early, self._take = self._early, [], take
        for frame in early:
            take(frame)
        try:
            if not self._over:
                self._receiving = asyncio.get_running_loop().create_future()
                await self._receiving
        finally:
            self._over = True
        if self._error is not None:
            raise self._error

    def writer(
        self, next_frame: Callable[[], Frame | None], finished: Callable[[], bool], _rule: PaceRule
    ) -> "TurnWriter":
        """See `Duplex.writer`; a frame costs nothing here, so none rests."""
        return TurnWriter(self.other.give, next_frame, finished)

    def _hand_over(self, frame: Frame) -> None:
        assert self._take is not None, "somebody receives"
        try:
            self._take(frame)
        except Exception as error:  # noqa: BLE001 - the receiver's, not the giver's: it is raised there
            self.end(error)


def direct_pair() -> tuple[DirectEnd, DirectEnd]:
    """The two ends of one stream."""
    one, other = DirectEnd(), DirectEnd()
    one.other, other.other = other, one
    return one, other


class TurnWriter:
    """Hands over what gathered in a turn of the loop, in the next one.

    Args:
        give: takes a frame; False: the other end is over.
        next_frame: see `Duplex.writer`.
        finished: see `Duplex.writer`.
    """

    def __init__(
        self, give: Callable[[Frame], bool], next_frame: Callable[[], Frame | None], finished: Callable[[], bool]
    ) -> None:
        loop = asyncio.get_running_loop()
        self._call_soon = loop.call_soon
        self._ended: asyncio.Future[None] = loop.create_future()
        self._give = give
        self._next_frame = next_frame
        self._finished = finished
        self._woken = False

    def wake(self) -> None:
        """See `Writer.wake`."""
        if not self._woken:
            self._woken = True
            self._call_soon(self._write)

    def stop(self) -> None:
        """See `Writer.stop`."""
        if not self._ended.done():
            self._ended.set_result(None)

    async def run(self) -> None:
        """See `Writer.run`."""
        self.wake()
        await self._ended

    def _write(self) -> None:
        self._woken = False
        try:
            while not self._ended.done():
                frame = self._next_frame()
                if frame is None:
                    if self._finished():
                        self.stop()
                    return
                if not self._give(frame):
                    self.stop()
        except Exception as error:  # noqa: BLE001 - a bug of the rules: whoever runs the writer has to hear of it
            if not self._ended.done():
                self._ended.set_exception(error)
