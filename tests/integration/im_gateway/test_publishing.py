"""What a gateway publishes, and how it gets frames through while nobody can read that."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from im_gateway.settings import DeliverySettings
from im_infra import error_table
from im_infra.cache.memory import MemoryCache
from im_infra.errors import ImError
from im_infra.routing import InterestTable, Publications, RouteTable
from im_proto.gateway.v1.gateway_pb2 import Deliver, GatewayPush
from im_proto.logic.v1.stream_pb2 import LargeMembership
from im_proto.route.v1.route_pb2 import Route
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.session_pb2 import Check, PingRequest
from im_proto.v1.sync_pb2 import Since, SyncRequest, SyncResponse

ROOM = 77
QUICK = DeliverySettings(sweep_interval_s=0.05, check_spread_s=0.1)
SELF = ("gw-1", "boot-1")


@contextmanager
def away(cache: MemoryCache) -> Iterator[None]:
    """The cache answers nobody."""

    async def refuse(*_: object, **__: object) -> Any:
        raise ImError(error_table.UNAVAILABLE, "away")

    for name in ("epoch", "read", "get_many", "put", "compare_and_set"):
        setattr(cache, name, refuse)
    try:
        yield
    finally:
        for name in ("epoch", "read", "get_many", "put", "compare_and_set"):
            delattr(cache, name)


async def published(site: Any) -> bool:
    epoch = await site.cache.epoch()
    return not await Publications(site.cache).unpublished({SELF}, epoch)


async def until_published(site: Any) -> None:
    async with asyncio.timeout(5):
        while not await published(site):
            await asyncio.sleep(0.005)


async def routes_of(site: Any, user_id: int) -> list[int]:
    return [route.connection_id for route in (await RouteTable(site.cache).find_many([user_id])).get(user_id, [])]


def frame(text: str) -> ServerFrame:
    """Something to be told apart by."""
    answer = ServerFrame()
    answer.error.message = text
    return answer


async def test_a_new_gateway_says_at_once_that_it_holds_nothing(open_site: Any) -> None:
    async with open_site() as site:
        await until_published(site)


async def test_after_a_loss_routes_and_interests_stand_before_it_says_so(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site:
        site.logic.large = [LargeMembership(conversation_id=ROOM, from_seq=1)]
        async with site.client(1) as one, site.client(2) as two:
            await until_published(site)
            site.cache.clear()
            async with asyncio.timeout(5):
                while not await published(site):
                    await asyncio.sleep(0)
            assert await routes_of(site, 1) == [one.connection_id]
            assert await routes_of(site, 2) == [two.connection_id]
            assert [each.gateway_id for each in (await InterestTable(site.cache).find(ROOM))[0]] == ["gw-1"]


async def test_a_connection_that_was_opening_at_the_loss_is_published_too_and_told_to_compare(open_site: Any) -> None:
    """Logic stored its route before the loss, and its answer comes after."""
    async with open_site(delivery=QUICK) as site:
        await until_published(site)
        site.logic.hold_hello = asyncio.Event()
        async with site.socket() as socket:
            client = site.wrap(socket)
            hello = asyncio.create_task(client.hello(1))
            await site.until(lambda: site.logic.opened)
            site.cache.clear()
            await asyncio.sleep(0.7)  # longer than any spread: it waits for the answer
            assert not await published(site)
            site.logic.hold_hello.set()
            await hello
            await until_published(site)
            assert await routes_of(site, 1) == [client.connection_id]
            assert (await client.next()).check == Check(account=True)


async def test_without_the_cache_frames_come_by_user(open_site: Any) -> None:
    async with (
        open_site() as site,
        site.client(1) as one,
        site.client(1, instance_id="tab-2") as other,
        site.client(2) as two,
    ):
        await site.until(lambda: site.logic.server.streams)
        deliver = Deliver(
            user_ids=[1, 9],
            frame=frame("full").SerializeToString(),
            bare_user_ids=[2],
            bare_frame=frame("bare").SerializeToString(),
            skip_connection_id=other.connection_id,
        )
        site.logic.push(GatewayPush(deliver=deliver))
        assert (await one.next()).error.message == "full"
        assert (await two.next()).error.message == "bare"
        answer = await other.ask(ClientFrame(request_id=9, ping=PingRequest()))
        assert answer.HasField("ping")
        assert not any(each.error.message for each in other.inbox)


async def test_without_the_cache_a_session_opens_and_its_route_stands_later(open_site: Any) -> None:
    """What it missed meanwhile it asks for: its sync is read again, and once more when it can be reached by its route."""
    async with open_site(delivery=QUICK) as site:
        await until_published(site)
        site.logic.large = [LargeMembership(conversation_id=ROOM, from_seq=1)]
        site.logic.route_unstored = True
        site.logic.answers["sync"] = lambda _caller, _frame: ServerFrame(sync=SyncResponse(since=Since(time=5)))
        async with site.socket() as socket:
            client = site.wrap(socket)
            with away(site.cache):
                answer = await client.hello(1, sync=SyncRequest())
                assert answer.hello.sync.since.time == 5
                assert await client.ask(ClientFrame(request_id=9, ping=PingRequest()))
            assert (await client.next()).check == Check(account=True)
            assert await routes_of(site, 1) == [client.connection_id]
            assert [each.gateway_id for each in (await InterestTable(site.cache).find(ROOM))[0]] == ["gw-1"]
            assert await published(site)


async def test_a_route_that_logic_could_not_store_is_stored_here_at_once(open_site: Any) -> None:
    """The cache is away for logic alone."""
    async with open_site() as site:
        await until_published(site)
        site.logic.route_unstored = True
        async with site.client(1) as client:
            async with asyncio.timeout(1):
                while not await routes_of(site, 1):
                    await asyncio.sleep(0.005)
            assert (await client.next()).check == Check(account=True)


async def test_a_route_that_outlived_its_connection_goes_when_something_is_sent_to_it(open_site: Any) -> None:
    async with open_site() as site:
        async with site.client(1) as client:
            gone = client.connection_id
        await site.until(lambda: site.logic.closed)
        routes = RouteTable(site.cache)
        stale = Route(connection_id=gone, gateway_id="gw-1", boot_id="boot-1")
        kept = Route(connection_id=gone, gateway_id="gw-2", boot_id="boot-1")
        await routes.change(1, lambda _: [stale, kept])
        site.logic.deliver(gone, 12345, frame=frame("late"))
        async with asyncio.timeout(5):
            while len((await routes.find_many([1]))[1]) > 1:
                await asyncio.sleep(0.005)
        assert [route.gateway_id for route in (await routes.find_many([1]))[1]] == ["gw-2"]
