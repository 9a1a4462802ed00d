"""The asking end of a stream."""

from collections.abc import Sequence
from typing import NamedTuple

from im_infra.rpc.core.asking import Answered, Asking, OnAnswer
from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.hearing import Hearing
from im_infra.rpc.core.limits import Limits
from im_infra.rpc.peer import Peer
from im_infra.rpc.settings import StreamSettings


class Received(NamedTuple):
    """What a frame meant, in the order it is to be acted on: answers first, then pushes."""

    answers: list[Answered]
    pushes: Sequence[bytes]
    """Each is to be reported with `took_effect` once it did."""


class ClientEnd:
    """One stream as the side that asks and hears sees it.

    A drain is exact: told that the other side drains, this end gives back what it has not written and says `draining`
    in turn; nothing of it can then be under way when the other side ends the stream.
    """

    def __init__(self, me: Peer, settings: StreamSettings) -> None:
        self._me = me
        self._limits = Limits(settings.max_frame_items, settings.max_frame_bytes)
        self._asking = Asking(max_waiting=settings.max_waiting, max_waiting_bytes=settings.max_waiting_bytes)
        self._hearing = Hearing()
        self._greeted = False
        self._drain_told = False
        self.peer: Peer | None = None
        """The other side, once it has greeted."""
        self.draining = False
        """The other side takes no further requests."""
        self.request = self._asking.ask
        """Take a request: see `Asking.ask`."""
        self.lose = self._asking.lose
        """Give up everything: see `Asking.lose`."""
        self.is_open = self._asking.is_open
        """Whether a request waits for its answer: see `Asking.is_open`."""

    @property
    def waiting(self) -> int:
        """Requests that wait for credit or for their frame."""
        return self._asking.waiting

    @property
    def open(self) -> int:
        """Requests written and not answered."""
        return self._asking.open

    @property
    def credit(self) -> int:
        """Requests that the peer would take at once."""
        return self._asking.credit

    @property
    def accepts(self) -> bool:
        """Requests may be given to it."""
        return self.peer is not None and not self.draining

    @property
    def has_output(self) -> bool:
        """The next frame would carry something that does not wait for the next tick."""
        return (
            self._asking.sendable
            or self._hearing.presses
            or not self._greeted
            or self.draining is not self._drain_told
            or (self.draining and self._hearing.owes)
        )

    def receive(self, frame: Frame) -> Received:
        """Take a frame of the other side.

        Raises:
            ProtocolViolationError: the other side broke the rules; lose the stream.
        """
        if self.peer is None:
            self.peer = frame.peer
        if frame.credit:
            self._asking.grant(frame.credit)
        answers = self._asking.answered(frame.answers) if frame.answers else []
        if frame.draining and not self.draining:
            self.draining = True
            answers += self._asking.refuse_waiting()
        pushes = frame.pushes
        if pushes:
            self._hearing.heard(frame.first_push, len(pushes))
        return Received(answers, pushes)

    def took_effect(self, count: int) -> None:
        """The next `count` pushes took effect and may be acknowledged."""
        self._hearing.took_effect(count)

    def tick(self, now: float) -> list[Answered]:
        """Time passed: acknowledgements are not put off any more; returns the requests past their deadline."""
        self._hearing.tick()
        return self._asking.expire(now)

    def next_frame(self, now: float) -> Frame | None:
        """What gathered, or None. It counts as written."""
        if not self.has_output:
            return None
        frame = Frame()
        if not self._greeted:
            self._greeted = True
            frame.peer = self._me
        if self._hearing.owes:
            frame.acknowledged_push = self._hearing.acknowledge()
        if self.draining:
            self._drain_told = frame.draining = True
        if self._asking.sendable:
            self._asking.fill(frame, self._limits, now)
            frame.leaves_some = self._asking.sendable
        return frame


__all__ = ["Answered", "ClientEnd", "OnAnswer", "Received"]
