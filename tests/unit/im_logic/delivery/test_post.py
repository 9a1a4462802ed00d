import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from im_infra import error_table
from im_infra.cache.abstract import Reading
from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_infra.routing import Publications, RouteTable
from im_logic.asker import Origin
from im_logic.delivery import post as module
from im_logic.delivery.confirmations import Confirmations, Countdown
from im_logic.delivery.parcel import Parcel
from im_logic.delivery.post import MAX_PARCELS, Post
from im_logic.repo_stream import RepoStream
from im_proto.gateway.v1.gateway_pb2 import GatewayPush, MembershipChange
from im_proto.repo.v1.stream_pb2 import ConfirmedRange
from im_proto.route.v1.route_pb2 import Route
from tests.logic_support.gateways import KeptStream
from tests.logic_support.scripted_repo import ScriptedRepo


class Bench:
    def __init__(self) -> None:
        self.clock = clock = ManualClock()
        self.cache = MemoryCache(clock)
        self.routes = RouteTable(self.cache, clock)
        self.one, self.two = KeptStream("gw", "b1"), KeptStream("gw-2", "b1")
        self.gateways = {("gw", "b1"): self.one, ("gw-2", "b1"): self.two}
        self.boots: dict[str, str] = {}
        self.publications = Publications(self.cache, clock)
        self.post = Post(
            gateways=self.gateways,
            routes=self.routes,
            boot_of=self.boots.get,
            publications=Publications(self.cache, clock),
            listed=lambda: set(self.boots.items()),
        )
        self.repo = ScriptedRepo()

    async def connect(self, user_id: int, *places: tuple[str, str, int]) -> None:
        await self.routes.change(
            user_id,
            lambda _: [Route(gateway_id=one, boot_id=boot, connection_id=number) for one, boot, number in places],
        )

    async def publish(self, *gateways: tuple[str, str]) -> None:
        epoch = await self.cache.epoch()
        for gateway_id, boot_id in gateways:
            await self.publications.publish(gateway_id=gateway_id, boot_id=boot_id, epoch=epoch)

    def countdown(self) -> Countdown:
        stretch = ConfirmedRange(outbox_id=7, conversation_id=5, from_seq=1, to_seq=1)
        return Countdown(Confirmations(RepoStream(self.repo)), self.repo, "boot", stretch)

    def count_look_ups(self, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
        """The users of each look-up from now on."""
        asked: list[list[int]] = []
        look_up = RouteTable.look_up

        async def counted(table: RouteTable, users: Sequence[int]) -> Any:
            asked.append(list(users))
            return await look_up(table, users)

        monkeypatch.setattr(RouteTable, "look_up", counted)
        return asked

    async def until(self, condition: object) -> None:
        async with asyncio.timeout(5):
            while not condition():  # type: ignore[operator]
                await asyncio.sleep(0)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.publish(*made.gateways)
    running = asyncio.create_task(made.post.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_one_push_a_gateway_with_all_its_connections(bench: Bench) -> None:
    await bench.connect(1, ("gw", "b1", 10), ("gw-2", "b1", 20))
    await bench.connect(2, ("gw", "b1", 11))
    bench.post.send(Parcel(users=[1, 2, 3], frame=b"f", skip=Origin("gw-2", "b1", 11)))
    await bench.until(lambda: bench.post.pushed == 2)
    (push,) = bench.one.pushes
    assert (sorted(push.deliver.connection_ids), push.deliver.frame) == ([10, 11], b"f")
    assert list(bench.two.pushes[0].deliver.connection_ids) == [20]


async def test_the_asking_connection_is_left_out_and_only_that_one(bench: Bench) -> None:
    await bench.connect(1, ("gw", "b1", 10), ("gw-2", "b1", 10))
    bench.post.send(Parcel(users=[1], frame=b"f", skip=Origin("gw", "b1", 10)))
    await bench.until(lambda: bench.two.pushes)
    assert not bench.one.pushes


async def test_bare_users_get_the_bare_frame_in_the_same_push(bench: Bench) -> None:
    await bench.connect(1, ("gw", "b1", 10))
    await bench.connect(2, ("gw", "b1", 11))
    bench.post.send(Parcel(users=[1], frame=b"full", bare_users=[2], bare_frame=b"bare", ephemeral=True))
    await bench.until(lambda: bench.one.pushes)
    deliver = bench.one.pushes[0].deliver
    assert (list(deliver.connection_ids), deliver.frame) == ([10], b"full")
    assert (list(deliver.bare_connection_ids), deliver.bare_frame, deliver.ephemeral) == ([11], b"bare", True)


async def test_what_nobody_misses_goes_with_what_comes_next(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_S", 3_600.0)
    await bench.connect(1, ("gw", "b1", 10))
    asked = bench.count_look_ups(monkeypatch)
    bench.post.send(Parcel(users=[1], frame=b"typing", ephemeral=True))
    for _ in range(20):
        await asyncio.sleep(0)
    assert (bench.post.waiting, asked) == (1, []), "nothing was looked up for it alone"
    bench.post.send(Parcel(users=[1], frame=b"message"))
    await bench.until(lambda: len(bench.one.pushes) == 2)
    assert [push.deliver.frame for push in bench.one.pushes] == [b"typing", b"message"]
    assert asked == [[1]]


async def test_what_nobody_misses_goes_by_itself_where_nothing_comes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER_S", 0.01)
    await bench.connect(1, ("gw", "b1", 10))
    for number in (1, 2):
        bench.post.send(Parcel(users=[1], frame=b"typing", ephemeral=True))
        await bench.until(lambda number=number: len(bench.one.pushes) == number)


async def test_it_is_confirmed_once_every_gateway_acknowledged(bench: Bench) -> None:
    await bench.connect(1, ("gw", "b1", 10), ("gw-2", "b1", 20))
    bench.two.acknowledge = False
    bench.post.send(Parcel(users=[1], frame=b"f", countdown=bench.countdown()))
    await bench.until(lambda: bench.two.waiting)
    assert not bench.repo.confirmed
    bench.two.waiting[0]()
    await bench.until(lambda: bench.repo.confirmed)


async def test_with_nobody_connected_it_is_confirmed_at_once(bench: Bench) -> None:
    bench.post.send(Parcel(users=[1], frame=b"f", countdown=bench.countdown()))
    await bench.until(lambda: bench.repo.confirmed)


async def test_a_route_is_read_after_the_parcel_was_sent(bench: Bench) -> None:
    bench.post.send(Parcel(users=[1], frame=b"f"))
    await bench.connect(1, ("gw", "b1", 10))  # in the same turn: a connection made during the commit
    await bench.until(lambda: bench.one.pushes)


async def test_an_earlier_boots_route_goes_and_an_unknown_gateways_stays_unconfirmed(bench: Bench) -> None:
    await bench.connect(1, ("gw", "old", 10))
    await bench.connect(2, ("gw-9", "b1", 10))
    bench.boots["gw"] = "b1"
    bench.post.send(Parcel(users=[1], frame=b"f", countdown=bench.countdown()))
    await bench.until(lambda: bench.repo.confirmed)
    async with asyncio.timeout(5):
        while await bench.routes.find_many([1]):
            await asyncio.sleep(0)
    bench.post.send(Parcel(users=[2], frame=b"f", countdown=bench.countdown()))
    bench.post.send(Parcel(users=[3], frame=b"f", countdown=bench.countdown()))
    await bench.until(lambda: len(bench.repo.confirmed) == 2)
    assert await bench.routes.find_many([2])


async def test_a_full_queue_at_the_gateway_leaves_it_unconfirmed(bench: Bench) -> None:
    await bench.connect(1, ("gw", "b1", 10))
    bench.one.full = True
    bench.post.send(Parcel(users=[1], frame=b"f", countdown=bench.countdown()))
    await bench.until(lambda: bench.post.dropped)
    await asyncio.sleep(0)
    assert not bench.repo.confirmed


async def test_without_the_cache_every_gateway_gets_it_by_user(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.connect(1, ("gw", "b1", 10))

    async def away(_: object) -> Reading:
        raise ImError(error_table.UNAVAILABLE)

    with monkeypatch.context() as patched:
        patched.setattr(bench.cache, "read", away)
        parcel = Parcel(
            users=[1, 2],
            frame=b"f",
            bare_users=[3],
            bare_frame=b"b",
            skip=Origin("gw-2", "b1", 20),
            countdown=bench.countdown(),
        )
        bench.post.send(parcel)
        await bench.until(lambda: bench.repo.confirmed)
    for stream, skipped in ((bench.one, 0), (bench.two, 20)):
        (push,) = stream.pushes
        deliver = push.deliver
        assert (list(deliver.user_ids), deliver.frame) == ([1, 2], b"f")
        assert (list(deliver.bare_user_ids), deliver.bare_frame) == ([3], b"b")
        assert deliver.skip_connection_id == skipped
        assert not deliver.connection_ids
    bench.post.send(Parcel(users=[1], frame=b"f"))
    await bench.until(lambda: len(bench.one.pushes) == 2)
    assert list(bench.one.pushes[1].deliver.connection_ids) == [10]
    assert len(bench.two.pushes) == 1


async def test_without_the_cache_a_listed_gateway_out_of_reach_leaves_it_unconfirmed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> Reading:
        raise ImError(error_table.UNAVAILABLE)

    bench.boots["gw-3"] = "b1"
    monkeypatch.setattr(bench.cache, "read", away)
    bench.post.send(Parcel(users=[1], frame=b"f", countdown=bench.countdown()))
    await bench.until(lambda: bench.two.pushes)
    await asyncio.sleep(0)
    assert not bench.repo.confirmed


async def test_after_a_loss_a_gateway_gets_it_by_user_until_it_has_published_again(bench: Bench) -> None:
    """Each gateway by itself: the routes of those that have are good."""
    await bench.connect(1, ("gw", "b1", 10), ("gw-2", "b1", 20))
    bench.cache.clear()
    await bench.connect(1, ("gw", "b1", 10))
    await bench.publish(("gw", "b1"))
    bench.post.send(Parcel(users=[1], frame=b"f", countdown=bench.countdown()))
    await bench.until(lambda: bench.repo.confirmed)
    assert list(bench.one.pushes[0].deliver.connection_ids) == [10]
    assert list(bench.two.pushes[0].deliver.user_ids) == [1]
    await bench.connect(1, ("gw", "b1", 10), ("gw-2", "b1", 20))
    await bench.publish(("gw-2", "b1"))
    bench.clock.advance(1)
    bench.post.send(Parcel(users=[1], frame=b"f"))
    await bench.until(lambda: len(bench.two.pushes) == 2)
    assert list(bench.two.pushes[1].deliver.connection_ids) == [20]


async def test_what_gateways_are_told_goes_to_all_of_them_after_a_loss(bench: Bench) -> None:
    bench.cache.clear()
    told = GatewayPush(membership_change=MembershipChange(conversation_id=5, user_id=1))
    bench.post.send(Parcel(users=[1], frame=b"", gateway_push=told.SerializeToString()))
    await bench.until(lambda: bench.two.pushes)
    assert bench.one.pushes == bench.two.pushes == [told]


def test_full_it_drops_what_comes() -> None:
    bench = Bench()
    parcel = Parcel(users=[1], frame=b"f")
    assert all(bench.post.send(parcel) for _ in range(MAX_PARCELS))
    assert not bench.post.send(parcel)
    assert bench.post.dropped == 1
