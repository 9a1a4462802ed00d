"""Delivery: what becomes of an entry once it is on disk, and pushes to users in general."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from im_infra.bus.abstract import Bus
from im_infra.clock import Clock
from im_infra.observability.metrics import Metrics
from im_infra.observability.span_names import LOGIC_DELIVER
from im_infra.observability.tracing import OFF, Span, Tracer
from im_infra.routing.publications import Publications
from im_infra.routing.routes import RouteTable
from im_infra.rpc.peer import Peer
from im_logic.asker import Origin
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import FANOUT_LARGE, FANOUT_SMALL, Conversation
from im_logic.delivery import membership
from im_logic.delivery.committed import (
    Committed,
    MembersChanged,
    frames_of_entry,
    frames_of_result,
    goes_large,
    goes_small,
    to_entry,
)
from im_logic.delivery.confirmations import Confirmations, Countdown
from im_logic.delivery.large import LargeEntry, LargeFanOut
from im_logic.delivery.parcel import Parcel
from im_logic.delivery.post import GatewayStream, Post, Target
from im_logic.delivery.redeliver import Redeliverer, Stretch
from im_logic.delivery.small import SmallFanOut
from im_logic.messaging.proposal import Proposal
from im_logic.repo_stream import RepoClient, RepoStream
from im_proto.repo.v1.stream_pb2 import AppendItem, AppendResult, ConfirmedRange, Entries

REPEAT_WITHIN_MS: Final = 30_000
"""A repeated send pushes its entry again while it is so young: the first push may have been lost with its ack."""


class Delivery:
    """Small fan-out by us, large fan-out by the bus, confirmations for both.

    Args:
        gateways: the streams that gateways opened to us, by (node_id, boot_id); a live view, such as
            `StreamServer.streams`.
        routes: where users are connected.
        boot_of: the boot id under which a gateway is known to live now, or None.
        publications: which gateways' routes are whole.
        listed: the gateways that discovery lists now.
        repo: reads entries again, takes confirmations.
        cache: who is in a conversation.
        bus: takes large ranges.
        clock: for ages.
        tracer: records what is delivered again.
        metrics: where batches and queues are told.
    """

    def __init__(
        self,
        *,
        gateways: Mapping[Target, GatewayStream],
        routes: RouteTable,
        boot_of: Callable[[str], str | None],
        publications: Publications,
        listed: Callable[[], AbstractSet[Target]],
        repo: RepoStream,
        cache: ConversationCache,
        bus: Bus,
        clock: Clock,
        tracer: Tracer = OFF,
        metrics: Metrics | None = None,
    ) -> None:
        self._clock = clock
        metrics = metrics or Metrics()
        self._post = Post(
            gateways=gateways,
            routes=routes,
            boot_of=boot_of,
            publications=publications,
            listed=listed,
            metrics=metrics,
        )
        self._small = SmallFanOut(cache=cache, post=self._post, clock=clock, on_too_large=self._too_large)
        self._large = LargeFanOut(bus, on_rest=repo.rest_large)
        self._confirmations = Confirmations(repo)
        self._redeliverer = Redeliverer(repo=repo, confirmations=self._confirmations, redelivery=self, tracer=tracer)

        depths = metrics.gauge("im_logic_waiting_deliveries")
        depths.labels("post").set_function(lambda: self._post.waiting)
        depths.labels("members").set_function(lambda: self._small.waiting)
        depths.labels("bus").set_function(lambda: self._large.waiting)
        depths.labels("again").set_function(lambda: self._redeliverer.waiting)

    async def run(self) -> None:
        """Deliver until cancelled. What is queued then is brought back by the outbox."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._post.run(), name="logic.delivery.post")
            tasks.create_task(self._redeliverer.run(), name="logic.delivery.redeliver")
            tasks.create_task(self._large.run(), name="logic.delivery.large")

    def counts(self) -> dict[str, int]:
        """What was done since the start, by the names of the counters."""
        return {
            "pushes": self._post.pushed,
            "dropped": self._post.dropped + self._small.dropped + self._large.dropped + self._redeliverer.dropped,
            "published": self._large.published,
            "redelivered": self._redeliverer.redelivered,
        }

    def deliver_to_users(
        self,
        user_ids: Sequence[int],
        frame: bytes,
        *,
        ephemeral: bool = False,
        skip: Origin | None = None,
    ) -> None:
        """Push a frame to every connection that the users have by then.

        Args:
            user_ids: to whom.
            frame: a serialised im.v1.ServerFrame.
            ephemeral: it may be dropped without telling the client.
            skip: a connection that is left out.
        """
        if user_ids:
            self._post.send(Parcel(users=user_ids, frame=frame, ephemeral=ephemeral, skip=skip))

    def on_repo_push(self, peer: Peer, body: bytes) -> None:
        """Take an im.repo.v1.RepoPush: ranges to be delivered again."""
        self._redeliverer.on_repo_push(peer, body)

    def stored(
        self, proposal: Proposal, item: AppendItem, result: AppendResult, conversation: Conversation, client: RepoClient
    ) -> None:
        """Fan a new entry out, under the classes it was committed in."""
        conversation_id, seq = result.conversation_id, result.seq
        small, large = goes_small(result), goes_large(result)
        stretch = ConfirmedRange()
        stretch.outbox_id = result.outbox_id
        stretch.conversation_id = conversation_id
        stretch.from_seq = stretch.to_seq = seq
        peer = client.peer
        boot_id = peer.boot_id if peer is not None else ""
        countdown = Countdown(self._confirmations, client, boot_id, stretch, left=small + large)
        if result.changed:
            self._members_changed(item, result, conversation)
        trace = proposal.asker.trace
        if large:
            self._large.publish(_large_entry(item, result, countdown, trace))
        if small:
            frame, bare_frame = frames_of_result(item, result, proposal.client_text)
            self._small.send(
                Committed(
                    conversation_id,
                    seq,
                    item.ref_seq,
                    result.member_version,
                    item.sender_id,
                    frame,
                    bare_frame,
                    countdown,
                    known=conversation,
                    # A message's ack says all that its sender does not know; a change or a notice only comes pushed.
                    skip=proposal.asker.origin if item.countable else None,
                    trace=None if trace is None else trace.child(LOGIC_DELIVER),
                )
            )

    def repeated(self, result: AppendResult) -> None:
        """An entry had been stored by an earlier try: push it again while it is young."""
        if self._clock.now_ms() - result.server_time < REPEAT_WITHIN_MS:
            large = result.fanout == FANOUT_LARGE
            countdown = Countdown.unguarded(self._confirmations)
            self._redeliverer.add(Stretch(result.conversation_id, result.seq, result.seq, large, countdown))

    def redeliver(self, stretch: Stretch, entries: Entries) -> None:
        """Deliver entries that were read again, in their present state."""
        for entry in entries.entries:
            if entry.changed:
                self._tell_members(
                    MembersChanged(
                        conversation_id=stretch.conversation_id,
                        seq=entry.seq,
                        time=entry.server_time,
                        member_version=entry.member_version,
                        changed=entry.changed,
                        large=False,
                    )
                )
            frame, bare_frame = frames_of_entry(entry, entries.epoch)
            stretch.countdown.wait_for_one_more()
            self._small.send(
                Committed(
                    conversation_id=stretch.conversation_id,
                    seq=entry.seq,
                    ref_seq=entry.ref_seq,
                    member_version=entries.member_version,
                    sender_id=entry.sender_id,
                    frame=frame,
                    bare_frame=bare_frame,
                    countdown=stretch.countdown,
                    trace=None if stretch.trace is None else stretch.trace.child(LOGIC_DELIVER),
                )
            )
        stretch.countdown.done()

    def redeliver_large(self, stretch: Stretch) -> None:
        """Hand a stretch to the bus again; task reads its entries."""
        self._large.publish(
            LargeEntry(
                conversation_id=stretch.conversation_id,
                from_seq=stretch.from_seq,
                to_seq=stretch.to_seq,
                countdown=stretch.countdown,
                trace=stretch.trace,
            )
        )

    def _too_large(self, committed: Committed) -> None:
        """Committed as small, but by now its members are not listed any more: the bus brings it."""
        seq = committed.seq
        self._large.publish(LargeEntry(committed.conversation_id, seq, seq, committed.countdown, trace=committed.trace))

    def _members_changed(self, item: AppendItem, result: AppendResult, before: Conversation) -> None:
        turned_large = result.previous_fanout == FANOUT_SMALL and result.fanout == FANOUT_LARGE and before.small
        self._tell_members(
            MembersChanged(
                conversation_id=result.conversation_id,
                seq=result.seq,
                time=result.server_time,
                member_version=result.member_version,
                changed=result.changed,
                large=goes_large(result),
                whole_history=item.effects.whole_history,
                turned_large=before if turned_large else None,
            )
        )

    def _tell_members(self, event: MembersChanged) -> None:
        for parcel in membership.parcels(event):
            self._post.send(parcel)


def _large_entry(item: AppendItem, result: AppendResult, countdown: Countdown, trace: Span | None) -> LargeEntry:
    return LargeEntry(
        conversation_id=result.conversation_id,
        from_seq=result.seq,
        to_seq=result.seq,
        countdown=countdown,
        epoch=result.epoch,
        member_version=result.member_version,
        entries=(to_entry(item, result).SerializeToString(),),
        trace=trace,
    )
