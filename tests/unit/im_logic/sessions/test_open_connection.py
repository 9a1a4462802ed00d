"""A connection says Hello: over the real repo, routes and cache."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from im_infra import error_table
from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.routing import RouteTable
from im_logic.accounts.claims import Claims
from im_logic.accounts.model import Grant, Installation
from im_logic.accounts.repo_store import RepoAccountStore
from im_logic.accounts.servicer import Operations
from im_logic.accounts.wire import class_limits
from im_logic.sessions.connections import Connections
from im_logic.sessions.kick import ConnectionKey, Limits
from im_logic.sessions.open_connection import Hello, OpenConnection, Opened, Wait
from im_logic.sessions.ports import LargeMembership
from im_logic.sessions.resume import ResumeTokens
from im_logic.sessions.sockets import GatewaySockets
from im_logic.settings import DeviceLimits
from im_proto.gateway.v1.gateway_pb2 import GatewayPush
from im_proto.v1.sync_pb2 import SyncRequest, SyncResponse

GATEWAY, BOOT = "gateway-1", "boot-1"


@dataclass
class Told:
    """The gateway's stream: which connections it was told to close, and why."""

    closed: list[tuple[int, int]] = field(default_factory=list)

    def push(self, body: bytes) -> bool:
        close = GatewayPush.FromString(body).close_connection
        self.closed.append((close.connection_id, close.close_code))
        return True


@dataclass
class Rooms:
    """The other rooms; they write down the order in which they are asked, and what stood then."""

    routes: RouteTable
    asked: list[str] = field(default_factory=list)
    failing: ImError | None = None
    hanging: asyncio.Event | None = None

    async def world_id(self) -> int:
        return 1

    async def list_large(self, user_id: int) -> list[LargeMembership]:
        self.asked.append("large")
        return [LargeMembership(1, 1, 0)]

    async def sync(self, user_id: int, request: SyncRequest) -> SyncResponse:
        routes = await self.routes.find_many([user_id])
        self.asked.append(f"sync with {len(routes.get(user_id, []))} routes")
        if self.hanging is not None:
            self.hanging.set()
            await asyncio.Event().wait()
        if self.failing is not None:
            raise self.failing
        return SyncResponse(pts=7)


class Door:
    """Opens connections the way a gateway asks for them."""

    def __init__(self, opening: OpenConnection, routes: RouteTable, told: Told, rooms: Rooms) -> None:
        self.opening = opening
        self.routes = routes
        self.told = told
        self.rooms = rooms
        self._number = 0

    async def open(self, grant: Grant, installation: Installation, *, generation: int = 1, **hello: Any) -> Opened:
        claims = Claims(
            user_id=grant.user.user_id,
            session_id=grant.session_id,
            generation=generation,
            user_kind=grant.user.kind,
            device_id=installation.device_id,
            device_class=int(installation.device_class),
            expire_time=grant.access.expire_time,
        )
        return await self.say(claims=claims, **hello)

    async def say(self, *, number: int = 0, **hello: Any) -> Opened:
        self._number = number or self._number + 1
        return await self.opening.open(Hello(key=ConnectionKey(GATEWAY, BOOT, self._number), **hello))

    async def connected(self, grant: Grant) -> list[int]:
        routes = await self.routes.find_many([grant.user.user_id])
        return [route.connection_id for route in routes.get(grant.user.user_id, [])]


@pytest.fixture
async def door(
    store: RepoAccountStore,
    accounts: Operations,
    cache: MemoryCache,
    clock: ManualClock,
    random: Callable[[int], bytes],
) -> AsyncIterator[Door]:
    routes, told = RouteTable(cache, clock), Told()
    connections = Connections(routes, {GATEWAY: BOOT}.get)
    rooms = Rooms(routes)
    opening = OpenConnection(
        store,
        connections,
        GatewaySockets(connections, {(GATEWAY, BOOT): told}, Metrics()),
        accounts.tickets,
        ResumeTokens(cache, ttl_s=600, random=random),
        rooms,
        rooms,
        limits=Limits(instances=8, devices=class_limits(DeviceLimits())),
        access_ttl_s=900,
        clock=clock,
        random=random,
    )
    return Door(opening, routes, told, rooms)


async def test_the_route_is_written_before_the_heads_are_read(door: Door, people: Any, phone: Installation) -> None:
    grant = await people.register(phone)
    opened = await door.open(grant, phone, sync=SyncRequest())
    assert sorted(door.rooms.asked) == ["large", "sync with 1 routes"]
    assert opened.sync is not None
    assert opened.sync.pts == 7
    assert (opened.user.handle, opened.session.session_id, opened.world_id) == ("alice", grant.session_id, 1)
    assert opened.expire_time == grant.access.expire_time
    assert await door.connected(grant) == [1]


async def test_the_heads_do_not_wait_for_the_large_conversations(
    door: Door, people: Any, phone: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either takes some milliseconds of whoever has thousands of conversations."""
    read = asyncio.Event()
    list_large, sync = door.rooms.list_large, door.rooms.sync

    async def list_large_later(user_id: int) -> list[LargeMembership]:
        await read.wait()
        return await list_large(user_id)

    async def sync_and_tell(user_id: int, request: SyncRequest) -> SyncResponse:
        read.set()
        return await sync(user_id, request)

    monkeypatch.setattr(door.rooms, "list_large", list_large_later)
    monkeypatch.setattr(door.rooms, "sync", sync_and_tell)
    grant = await people.register(phone)
    async with asyncio.timeout(10):
        opened = await door.open(grant, phone, sync=SyncRequest())
    assert (len(opened.large), opened.sync) == (1, SyncResponse(pts=7))


async def test_the_route_is_written_before_the_sessions_state_is_read(
    door: Door, people: Any, phone: Installation, store: RepoAccountStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A logout commits, then reads routes: so one of the two always sees the other."""
    grant = await people.register(phone)
    find, connected = store.find_session, []

    async def watched(session_id: int) -> Any:
        connected.append(await door.connected(grant))
        return await find(session_id)

    monkeypatch.setattr(store, "find_session", watched)
    await door.open(grant, phone)
    assert connected == [[1]]


async def test_an_overtaken_hello_displaces_nobody(door: Door, people: Any, phone: Installation, refused: Any) -> None:
    """A client that was cut says Hello again, and the second comes through first."""
    grant = await people.register(phone)
    await door.open(grant, phone, number=2, instance_id="tab")
    with refused(error_table.UNAVAILABLE):
        await door.open(grant, phone, number=1, instance_id="tab")
    assert (await door.connected(grant), door.told.closed) == ([2], [])


async def test_a_hello_overtaken_while_it_makes_room_displaces_nobody_either(
    door: Door, people: Any, phone: Installation, refused: Any, store: RepoAccountStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third comes while the second has not yet told the first to go: the first goes, once, and the third stays."""
    grant = await people.register(phone)
    await door.open(grant, phone, number=1, instance_id="tab")
    find = store.find_session

    async def overtake(session_id: int) -> Any:
        monkeypatch.setattr(store, "find_session", find)
        await door.open(grant, phone, number=3, instance_id="tab")
        return await find(session_id)

    monkeypatch.setattr(store, "find_session", overtake)
    with refused(error_table.UNAVAILABLE):
        await door.open(grant, phone, number=2, instance_id="tab")
    assert await door.connected(grant) == [3]
    assert sorted(door.told.closed) == [(1, CloseCode.REPLACED), (2, CloseCode.REPLACED)]


@pytest.mark.parametrize("late", [False, True], ids=["before its route is written", "before it makes room"])
async def test_an_abandoned_hello_displaces_nobody(
    door: Door,
    people: Any,
    phone: Installation,
    refused: Any,
    store: RepoAccountStore,
    monkeypatch: pytest.MonkeyPatch,
    late: bool,
) -> None:
    grant = await people.register(phone)
    await door.open(grant, phone, instance_id="tab")
    wait, find = Wait(), store.find_session

    async def abandon(session_id: int) -> Any:
        wait.abandoned = True
        return await find(session_id)

    if late:
        monkeypatch.setattr(store, "find_session", abandon)
    else:
        wait.abandoned = True
    with refused(error_table.UNAVAILABLE):
        await door.open(grant, phone, instance_id="tab", wait=wait)
    assert (await door.connected(grant), door.told.closed) == ([1], [])


async def test_without_a_sync_none_is_made(door: Door, people: Any, phone: Installation) -> None:
    assert (await door.open(await people.register(phone), phone)).sync is None
    assert door.rooms.asked == ["large"]


async def test_no_credential_is_no_entry(door: Door, refused: Any) -> None:
    with refused(error_table.UNAUTHENTICATED):
        await door.say()


async def test_a_token_of_another_device_is_no_entry(
    door: Door, people: Any, phone: Installation, refused: Any
) -> None:
    grant = await people.register(phone)
    with refused(error_table.UNAUTHENTICATED):
        await door.open(grant, phone, device_id="another-device")
    assert await door.connected(grant) == []


@pytest.mark.parametrize("instance_id", ["x" * 65, "a\nb"], ids=ascii)
async def test_an_instance_is_a_short_printable_name(
    door: Door, people: Any, phone: Installation, refused: Any, instance_id: str
) -> None:
    grant = await people.register(phone)
    with refused(error_table.FIELD_INVALID):
        await door.open(grant, phone, instance_id=instance_id)


async def test_an_ended_session_leaves_no_route(
    door: Door, people: Any, phone: Installation, refused: Any, accounts: Operations, as_caller: Any
) -> None:
    grant = await people.register(phone)
    await accounts.end_sessions.logout(as_caller(grant), everywhere=False)
    with refused(error_table.SESSION_REVOKED):
        await door.open(grant, phone)
    assert await door.connected(grant) == []


async def test_a_token_from_before_a_new_password_is_refreshed_first(
    door: Door, people: Any, phone: Installation, refused: Any, accounts: Operations, as_caller: Any
) -> None:
    grant = await people.register(phone)
    await accounts.change_password.change(as_caller(grant), current="correct horse", new="battery staple")
    with refused(error_table.TOKEN_EXPIRED):
        await door.open(grant, phone)
    await door.open(grant, phone, generation=2)


async def test_a_failure_on_the_way_takes_the_route_back(
    door: Door, people: Any, phone: Installation, refused: Any
) -> None:
    grant = await people.register(phone)
    door.rooms.failing = ImError(error_table.UNAVAILABLE)
    with refused(error_table.UNAVAILABLE):
        await door.open(grant, phone, sync=SyncRequest())
    assert await door.connected(grant) == []


async def test_cancelled_on_the_way_it_takes_the_route_back(door: Door, people: Any, phone: Installation) -> None:
    grant = await people.register(phone)
    door.rooms.hanging = asyncio.Event()
    opening = asyncio.create_task(door.open(grant, phone, sync=SyncRequest()))
    await asyncio.wait_for(door.rooms.hanging.wait(), 5)
    assert await door.connected(grant) == [1]
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert await door.connected(grant) == []


async def test_the_same_instance_replaces_its_older_connection(door: Door, people: Any, phone: Installation) -> None:
    grant = await people.register(phone)
    await door.open(grant, phone, instance_id="app")
    await door.open(grant, phone, instance_id="app")
    assert door.told.closed == [(1, CloseCode.REPLACED)]
    assert await door.connected(grant) == [2]


async def test_tabs_of_one_browser_live_together_up_to_eight(
    door: Door, people: Any, browser: Installation, refused: Any
) -> None:
    grant = await people.register(browser)
    for _ in range(8):
        await door.open(grant, browser)
    with refused(error_table.TOO_MANY_INSTANCES):
        await door.open(grant, browser)
    assert await door.connected(grant) == list(range(1, 9))
    assert door.told.closed == []


async def test_routes_of_a_gateways_earlier_boot_neither_count_nor_stay(
    door: Door, people: Any, browser: Installation
) -> None:
    grant = await people.register(browser)
    for number in range(8):
        key = ConnectionKey(GATEWAY, "an earlier boot", number)
        claims = Claims(grant.user.user_id, grant.session_id, 1, 2, browser.device_id, 4, 0)
        await door.opening.open(Hello(key=key, claims=claims))
    await door.open(grant, browser)
    assert await door.connected(grant) == [1]


async def test_a_displaced_session_that_comes_by_itself_is_told_and_harms_nobody(
    door: Door, people: Any, phone: Installation, other_phone: Installation, refused: Any
) -> None:
    first = await people.register(phone)
    second = await people.login(other_phone)
    await door.open(second, other_phone)
    for generation in (1, 2):
        with refused(error_table.KICKED):
            await door.open(first, phone, generation=generation)
    assert await door.connected(second) == [1]
    assert door.told.closed == []
    await door.open(second, other_phone, instance_id="tab")


async def test_a_person_takes_the_place_back_and_the_other_one_is_displaced(
    door: Door, people: Any, phone: Installation, other_phone: Installation, refused: Any
) -> None:
    first = await people.register(phone)
    second = await people.login(other_phone)
    await door.open(second, other_phone)
    with refused(error_table.TOKEN_EXPIRED):
        await door.open(first, phone, take_over=True)
    await door.open(first, phone, generation=2, take_over=True)
    assert (1, CloseCode.KICKED) in door.told.closed
    assert await door.connected(first) == [3]
    with refused(error_table.KICKED):
        await door.open(second, other_phone)


async def test_a_place_taken_back_stays_when_the_other_device_was_away(
    door: Door, people: Any, phone: Installation, other_phone: Installation, refused: Any
) -> None:
    first = await people.register(phone)
    second = await people.login(other_phone)
    await door.open(first, phone, generation=2, take_over=True)
    with refused(error_table.KICKED):
        await door.open(second, other_phone)
    assert await door.connected(first) == [1]


async def test_connected_devices_beyond_the_class_are_kicked_and_marked(
    door: Door, people: Any, store: RepoAccountStore
) -> None:
    """Four browsers whose sessions all stand, as after a lowered limit."""
    browsers = [Installation(f"browser-{number:02}", 4, f"{number}") for number in range(4)]  # type: ignore[arg-type]
    grants = [await people.register(browsers[0])]
    for browser in browsers[1:]:
        people.accounts.enter._policy.class_limits.clear()
        grants.append(await people.login(browser))
    for grant, browser in zip(grants, browsers, strict=True):
        await door.open(grant, browser)
    assert door.told.closed == [(1, CloseCode.KICKED)]
    assert await door.connected(grants[0]) == [2, 3, 4]
    sessions = {session.session_id: session for session in await store.list_sessions(grants[0].user.user_id)}
    assert [sessions[grant.session_id].displaced for grant in grants] == [True, False, False, False]


async def test_two_phones_that_come_at_the_same_moment_leave_one_connected(
    door: Door, people: Any, phone: Installation, other_phone: Installation
) -> None:
    people.accounts.enter._policy.class_limits.clear()
    first = await people.register(phone)
    second = await people.login(other_phone)
    results = await asyncio.gather(door.open(first, phone), door.open(second, other_phone), return_exceptions=True)
    connected = await door.connected(first)
    assert len(connected) == 1
    opened = [result for result in results if isinstance(result, Opened)]
    assert len(opened) - len(door.told.closed) <= 1
    assert opened


async def test_a_ticket_opens_once(
    door: Door, people: Any, phone: Installation, accounts: Operations, as_caller: Any, refused: Any, clock: ManualClock
) -> None:
    grant = await people.register(phone)
    ticket, _ = await accounts.tickets.create(as_caller(grant))
    opened = await door.say(ticket=ticket)
    assert opened.expire_time == clock.now_ms() + 900_000
    with refused(error_table.TICKET_INVALID):
        await door.say(ticket=ticket)


async def test_a_resume_token_replaces_the_connection_and_works_once(
    door: Door, people: Any, phone: Installation, refused: Any, clock: ManualClock
) -> None:
    grant = await people.register(phone)
    opened = await door.open(grant, phone, instance_id="app")
    clock.advance(100)
    resumed = await door.say(resume_token=opened.resume_token, instance_id="app")
    assert resumed.expire_time == clock.now_ms() + 900_000
    assert door.told.closed == [(1, CloseCode.REPLACED)]
    with refused(error_table.RESUME_INVALID):
        await door.say(resume_token=opened.resume_token, instance_id="app")
    await door.say(resume_token=resumed.resume_token)


async def test_a_resume_token_is_its_own_instances(door: Door, people: Any, phone: Installation, refused: Any) -> None:
    opened = await door.open(await people.register(phone), phone, instance_id="app")
    with refused(error_table.RESUME_INVALID):
        await door.say(resume_token=opened.resume_token, instance_id="another")


async def test_after_a_logout_a_resume_token_opens_nothing(
    door: Door, people: Any, phone: Installation, refused: Any, accounts: Operations, as_caller: Any
) -> None:
    grant = await people.register(phone)
    opened = await door.open(grant, phone)
    await accounts.end_sessions.logout(as_caller(grant), everywhere=False)
    with refused(error_table.SESSION_REVOKED):
        await door.say(resume_token=opened.resume_token)


async def test_a_displaced_resume_token_is_told_so(
    door: Door, people: Any, phone: Installation, other_phone: Installation, refused: Any
) -> None:
    opened = await door.open(await people.register(phone), phone)
    await people.login(other_phone)
    with refused(error_table.KICKED):
        await door.say(resume_token=opened.resume_token)


async def test_without_the_cache_it_opens_and_its_gateway_stores_the_route(
    door: Door,
    people: Any,
    phone: Installation,
    refused: Any,
    accounts: Operations,
    as_caller: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An access token opens it, a resume token does not; a session that was ended opens nothing."""
    grant = await people.register(phone)
    before = await door.open(grant, phone)
    assert not before.route_unstored

    async def away(*_args: object, **_kwargs: object) -> bool:
        raise ImError(error_table.UNAVAILABLE)

    for method in ("compare_and_set", "put", "read", "get_many"):
        monkeypatch.setattr(MemoryCache, method, away)
    opened = await door.open(grant, phone)
    assert opened.route_unstored
    assert opened.resume_token == ""
    with refused(error_table.RESUME_INVALID):
        await door.say(resume_token=before.resume_token)
    await accounts.end_sessions.logout(as_caller(grant), everywhere=False)
    with refused(error_table.SESSION_REVOKED):
        await door.open(grant, phone)
