"""The message path of a logic process, wired: what `app.py` calls."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from im_infra.bus.abstract import Bus
from im_infra.clock import Clock
from im_infra.observability.metrics import Metrics
from im_infra.observability.tracing import OFF, Tracer
from im_infra.routing.publications import Publications
from im_infra.routing.routes import RouteTable
from im_infra.rpc.peer import Peer
from im_infra.rpc.service_pool import ServicePool
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.find_users import FindUsers
from im_logic.conversations.open_direct import OpenDirect
from im_logic.conversations.read_conversations import ReadConversations
from im_logic.delivery.delivery import Delivery
from im_logic.delivery.post import GatewayStream, Target
from im_logic.dispatch import Dispatcher, operations_of
from im_logic.groups.change_members import ChangeMembers
from im_logic.groups.create_group import CreateGroup
from im_logic.messaging.append_lanes import AppendLanes
from im_logic.messaging.change_message import ChangeMessage
from im_logic.messaging.read_messages import ReadMessages
from im_logic.messaging.send_message import SendMessage
from im_logic.messaging.settings import MessagingSettings
from im_logic.messaging.tell_typing import TellTyping
from im_logic.reading.cursors import Cursors
from im_logic.reading.receipts import Receipts
from im_logic.repo_calls import RepoCalls
from im_logic.repo_stream import RepoClients, RepoStream
from im_logic.sync.sync import Sync

_COUNT_S: Final = 1.0


class MessagePath:
    """Everything between the stream from gateways and the stream to repo.

    `dispatcher` handles Commands, `delivery` pushes, `sync` answers the Sync within a Hello, `on_repo_push` is the
    handler of the pushes of repo's streams, and `run` must run while frames are handled.

    Args:
        repo_streams: the StreamPool to repo; its `on_push` is `on_repo_push` of this object.
        repos: repo's living nodes, for unary calls.
        gateways: the streams that gateways opened to us, such as `StreamServer.streams`.
        routes: where users are connected.
        boot_of: the boot id under which a gateway is known to live now, or None.
        publications: which gateways' routes are whole.
        listed: the gateways that discovery lists now.
        bus: takes large ranges.
        world_id: the world room's id, or 0 where there is none.
        settings: limits.
        repo_timeout_s: deadline of one unary operation, in seconds.
        metrics: counts.
        clock: time.
        tracer: records what is delivered again.
    """

    def __init__(
        self,
        *,
        repo_streams: RepoClients,
        repos: ServicePool,
        gateways: Mapping[Target, GatewayStream],
        routes: RouteTable,
        boot_of: Callable[[str], str | None],
        publications: Publications,
        listed: Callable[[], AbstractSet[Target]],
        bus: Bus,
        world_id: Callable[[], Awaitable[int]],
        settings: MessagingSettings,
        repo_timeout_s: float,
        metrics: Metrics,
        clock: Clock,
        tracer: Tracer = OFF,
    ) -> None:
        repo = RepoStream(repo_streams)
        calls = RepoCalls(repos, timeout_s=repo_timeout_s, world_id=world_id)
        cache = ConversationCache(repo, clock, max_conversations=settings.cached_conversations)
        self.delivery = Delivery(
            gateways=gateways,
            routes=routes,
            boot_of=boot_of,
            publications=publications,
            listed=listed,
            repo=repo,
            cache=cache,
            bus=bus,
            clock=clock,
            tracer=tracer,
            metrics=metrics,
        )
        self.sync = Sync(calls=calls)
        self._lanes = AppendLanes(repo=repo, cache=cache, outlet=self.delivery, clock=clock)
        receipts = Receipts(cache=cache, teller=self.delivery, max_members=settings.receipt_members)
        self._cursors = Cursors(repo=repo, delivery=self.delivery, receipts=receipts)
        self.dispatcher = Dispatcher(
            send=SendMessage(lanes=self._lanes, on_seen=self._cursors.seen, clock=clock, settings=settings),
            cursors=self._cursors,
            operations=operations_of(
                change=ChangeMessage(lanes=self._lanes, clock=clock, settings=settings),
                read=ReadMessages(repo=repo, settings=settings),
                typing=TellTyping(cache=cache, teller=self.delivery, clock=clock, settings=settings),
                sync=self.sync,
                open_direct=OpenDirect(calls=calls, delivery=self.delivery),
                conversations=ReadConversations(calls=calls, cache=cache),
                users=FindUsers(calls=calls),
                create_group=CreateGroup(lanes=self._lanes, calls=calls, clock=clock),
                members=ChangeMembers(lanes=self._lanes, calls=calls, repo=repo, clock=clock, settings=settings),
            ),
            clock=clock,
            settings=settings,
        )
        self._cache = cache
        self._counters = {
            "appended": metrics.counter("im_logic_appends_total"),
            "sent_back": metrics.counter("im_logic_appends_sent_back_total"),
            "pushes": metrics.counter("im_logic_pushes_total"),
            "dropped": metrics.counter("im_logic_deliveries_dropped_total"),
            "published": metrics.counter("im_logic_fanout_published_total"),
            "redelivered": metrics.counter("im_logic_redelivered_total"),
        }
        self._conversations = metrics.gauge("im_logic_cached_conversations")
        self._counted: dict[str, int] = dict.fromkeys(self._counters, 0)

    def on_repo_push(self, peer: Peer, body: bytes) -> None:
        """Take a push of a repo process: ranges to be delivered again."""
        self.delivery.on_repo_push(peer, body)

    async def run(self) -> None:
        """Deliver, flush cursors and count, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.delivery.run(), name="logic.delivery")
            tasks.create_task(self._cursors.run(), name="logic.cursors")
            tasks.create_task(self._count(), name="logic.count")

    async def _count(self) -> None:
        """Bring the counters up to date once a second, so that no message pays for it."""
        while True:
            await asyncio.sleep(_COUNT_S)
            now = {"appended": self._lanes.appended, "sent_back": self._lanes.sent_back, **self.delivery.counts()}
            for name, counter in self._counters.items():
                counter.inc(now[name] - self._counted[name])
            self._counted = now
            self._conversations.set(len(self._cache))
