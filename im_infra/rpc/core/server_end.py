"""The answering end of a stream."""

from typing import NamedTuple

from im_infra.rpc.core.answering import Answering, Asked
from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.limits import Limits
from im_infra.rpc.core.pushing import OnAcknowledged, Pushing
from im_infra.rpc.peer import Peer
from im_infra.rpc.settings import StreamSettings


class Arrived(NamedTuple):
    """What a frame meant, in the order it is to be acted on."""

    acknowledged: list[OnAcknowledged]
    requests: list[Asked]


class ServerEnd:
    """One stream as the side that answers and pushes sees it.

    A push never overtakes an answer that was given before it. Answers and pushes share a frame; while both wait, each
    gets half of it, so that neither starves.
    """

    def __init__(self, me: Peer, settings: StreamSettings) -> None:
        self._me = me
        self._limits = Limits(settings.max_frame_items, settings.max_frame_bytes)
        self._answering = Answering(window=settings.window, max_body_bytes=settings.max_body_bytes)
        self._pushing = Pushing(max_pushes=settings.max_pushes, max_bytes=settings.max_push_bytes)
        self._greeted = False
        self._drain_told = False
        self._drain_heard = False
        self.peer: Peer | None = None
        """The other side, once it has greeted."""
        self.draining = False
        self.answer = self._answering.answer
        """Give a request's answer: see `Answering.answer`."""
        self.tick = self._answering.tick
        """Time passed: see `Answering.tick`."""

    @property
    def open(self) -> int:
        """Requests taken and not answered."""
        return self._answering.open

    @property
    def unacknowledged(self) -> int:
        """Pushes that did not take effect yet."""
        return self._pushing.unacknowledged

    @property
    def has_output(self) -> bool:
        """The next frame would carry something that does not wait for the next tick."""
        return (
            self._answering.presses
            or (self.draining and self._answering.sendable)
            or self._pushing.waiting
            or not self._greeted
            or self.draining is not self._drain_told
        )

    @property
    def finished(self) -> bool:
        """Drained: the other side sends no more, all was answered and acknowledged; the stream may end."""
        return self._drain_told and self._drain_heard and self._answering.idle and self._pushing.idle

    def receive(self, frame: Frame, now: float) -> Arrived:
        """Take a frame of the other side.

        Raises:
            ProtocolViolationError: the other side broke the rules; lose the stream.
        """
        if self.peer is None:
            self.peer = frame.peer
        acknowledged = self._pushing.acknowledge(frame.acknowledged_push) if frame.acknowledged_push else []
        if frame.draining:
            self._drain_heard = True
        requests: list[Asked] = []
        if frame.requests:
            if self.draining:
                self._answering.refuse(frame.first_request, frame.requests, now)
            else:
                requests = self._answering.start(frame.first_request, frame.requests, now)
        return Arrived(acknowledged, requests)

    def push(self, body: bytes, on_acknowledged: OnAcknowledged | None) -> bool:
        """Queue a push; False: too many are not acknowledged yet."""
        return self._pushing.push(body, on_acknowledged, self._answering.given)

    def drain(self) -> None:
        """Start no further request."""
        self.draining = True

    def next_frame(self) -> Frame | None:
        """What gathered, or None. It counts as written."""
        if not self.has_output:
            return None
        frame = Frame()
        if not self._greeted:
            self._greeted = True
            frame.peer = self._me
        if self.draining:
            self._drain_told = frame.draining = True
        room = self._limits
        if self._answering.sendable:
            share = room.half() if self._pushing.waiting else room
            left = self._answering.fill(frame, share)
            room = room.minus(share.items - left.items, share.size - left.size)
        if self._pushing.waiting:
            self._pushing.fill(frame, room, self._answering.written)
        frame.leaves_some = self._answering.sendable or self._pushing.waiting
        return frame
