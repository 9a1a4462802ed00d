"""Ranges that were not confirmed in time, and entries repeated by their senders: read again, delivered again."""

import asyncio
from typing import Final, NamedTuple, Protocol

from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.span_names import LOGIC_REDELIVER
from im_infra.observability.tracing import OFF, Span, Tracer
from im_infra.rpc.peer import Peer
from im_logic.conversations.conversation import FANOUT_LARGE
from im_logic.delivery.confirmations import Confirmations, Countdown
from im_logic.repo_stream import RepoStream
from im_proto.repo.v1.stream_pb2 import ConfirmedRange, Entries, RepoPush

_LOG: Final = logs.get(__name__)

MAX_WAITING: Final = 2_000


class Stretch(NamedTuple):
    """Entries from_seq to to_seq of a conversation, to be delivered again."""

    conversation_id: int
    from_seq: int
    to_seq: int
    large: bool
    countdown: Countdown
    trace: Span | None = None
    """Of its delivering again, where an entry of its batch is sampled."""


class Redelivery(Protocol):
    """Delivers what was read again."""

    def redeliver(self, stretch: Stretch, entries: Entries) -> None:
        """Deliver entries to the members of a small conversation."""
        ...

    def redeliver_large(self, stretch: Stretch) -> None:
        """Hand a stretch of a large conversation to the bus; task reads it."""
        ...


class Redeliverer:
    """Reads ranges again, one after the other: what is late already does not compete with what is new.

    Args:
        repo: reads.
        confirmations: takes what took effect.
        redelivery: delivers.
        tracer: records it for sampled entries.
    """

    def __init__(
        self, *, repo: RepoStream, confirmations: Confirmations, redelivery: Redelivery, tracer: Tracer = OFF
    ) -> None:
        self._repo = repo
        self._confirmations = confirmations
        self._redelivery = redelivery
        self._tracer = tracer
        # Full: dropped and counted. The sweeper repeats ranges, senders their messages.
        self._waiting: asyncio.Queue[Stretch] = asyncio.Queue(MAX_WAITING)
        self.dropped = 0
        self.redelivered = 0

    @property
    def waiting(self) -> int:
        """Stretches that wait for their turn."""
        return self._waiting.qsize()

    def on_repo_push(self, peer: Peer, body: bytes) -> None:
        """Take a push of a repo process. It never raises, since a push that raises breaks the stream."""
        push = RepoPush.FromString(body)
        if not push.HasField("redeliver"):
            return  # of a newer repo
        client = self._repo.client_of(peer)
        if client is None:
            return
        for part in push.redeliver.ranges:
            confirmed = ConfirmedRange(
                outbox_id=push.redeliver.outbox_id,
                conversation_id=part.conversation_id,
                from_seq=part.from_seq,
                to_seq=part.to_seq,
            )
            countdown = Countdown(self._confirmations, client, peer.boot_id, confirmed)
            large = part.fanout == FANOUT_LARGE
            trace = push.redeliver.trace
            span = self._tracer.start(LOGIC_REDELIVER, trace) if trace else None
            self.add(Stretch(part.conversation_id, part.from_seq, part.to_seq, large, countdown, span))

    def add(self, stretch: Stretch) -> None:
        """Deliver a stretch again, soon."""
        try:
            self._waiting.put_nowait(stretch)
        except asyncio.QueueFull:
            self.dropped += 1

    async def run(self) -> None:
        """Deliver again until cancelled."""
        while True:
            stretch = await self._waiting.get()
            if stretch.large:
                self._redelivery.redeliver_large(stretch)
            else:
                try:
                    entries = await self._repo.read_entries(stretch.conversation_id, stretch.from_seq, stretch.to_seq)
                except ImError as error:
                    _LOG.warning("entries not read again", reason=error.reason.name)
                    continue
                self._redelivery.redeliver(stretch, entries)
            if stretch.trace is not None:
                stretch.trace.end()
            self.redelivered += stretch.to_seq - stretch.from_seq + 1
