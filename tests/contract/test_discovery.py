"""What every registry promises."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from im_cli.engines.engine import Engine
from im_cli.engines.etcd import REQUIREMENTS, EtcdAccount, EtcdTls
from im_cli.engines.etcd import etcd as etcd_engine
from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.discovery.abstract import Discovery, Node, WorkerLease
from im_infra.discovery.etcd.discovery import open_etcd
from im_infra.discovery.settings import EtcdSettings
from im_infra.discovery.static import StaticDiscovery
from im_infra.discovery.tables import WORKER_LEASE
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.settings.client_tls import ClientTlsSettings
from im_infra.sql.abstract import Database
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from tests.support.certificates import make_authority, make_certificate
from tests.support.engines import require

LOGIC = Node("logic", "logic-1", "boot-1", "127.0.0.1:9000")


@dataclass(frozen=True)
class Member:
    """A registry, and what the suite does from outside."""

    discovery: Discovery
    let_lease_end: Callable[[WorkerLease], None]
    """Lets so much time pass that the recorded time of a lease has passed."""


@asynccontextmanager
async def static(tmp_path: Path) -> AsyncIterator[Member]:
    clock = ManualClock()
    async with open_sqlite(tmp_path / "discovery.sqlite3", SqliteSettings(reader_threads=1)) as database:
        await database.write(WORKER_LEASE.create)
        yield Member(
            StaticDiscovery([], database, clock),
            lambda lease: clock.advance((lease.high_time - clock.now_ms()) / 1000),
        )


@asynccontextmanager
async def etcd(settings: EtcdSettings, database: Database | None = None) -> AsyncIterator[Member]:
    clock = ManualClock()
    async with open_etcd(settings, clock, Metrics(), database=database) as discovery:
        yield Member(discovery, lambda lease: clock.advance((lease.high_time - clock.now_ms()) / 1000))


@asynccontextmanager
async def etcd_claimed(settings: EtcdSettings, tmp_path: Path) -> AsyncIterator[Member]:
    """With worker ids recorded in a database as well."""
    async with open_sqlite(tmp_path / "discovery.sqlite3", SqliteSettings(reader_threads=1)) as database:
        await database.write(WORKER_LEASE.create)
        async with etcd(settings, database) as member:
            yield member


@pytest.fixture(scope="module")
def closed_etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdSettings]:
    """An etcd with TLS that asks everybody for an account."""
    require(REQUIREMENTS)
    folder = tmp_path_factory.mktemp("closed-etcd")
    authority = make_authority(folder)
    made = make_certificate(folder, authority)
    account = EtcdAccount(password="not a secret", prefix="/")
    with etcd_engine(
        folder / "data", account, tls=EtcdTls(made.certificate, made.key, authority.certificate)
    ) as engine:
        yield EtcdSettings(
            endpoints=(engine.address,),
            user=account.user,
            password=SecretStr(account.password),
            tls=ClientTlsSettings(enabled=True, ca=authority.certificate),
        )


@pytest.fixture(params=["static", "etcd", "etcd_claimed", "etcd_tls"])
async def member(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Member]:
    prefix = f"/{tmp_path.name}/"
    if request.param == "static":
        opening = static(tmp_path)
    elif request.param in {"etcd", "etcd_claimed"}:
        engine: Engine = request.getfixturevalue("etcd_engine")
        settings = EtcdSettings(endpoints=(engine.address,), prefix=prefix)
        opening = etcd(settings) if request.param == "etcd" else etcd_claimed(settings, tmp_path)
    else:
        settings = request.getfixturevalue("closed_etcd")
        opening = etcd(settings.model_copy(update={"prefix": prefix}))
    async with opening as opened:
        yield opened


@pytest.fixture
def discovery(member: Member) -> Discovery:
    return member.discovery


async def until_nodes(discovery: Discovery, expected: dict[str, Node]) -> None:
    async with asyncio.timeout(5):
        async for nodes in discovery.watch("logic"):
            if nodes == expected:
                return


async def test_nobody_is_there_at_first(discovery: Discovery) -> None:
    assert discovery.nodes("logic") == {}


async def test_a_node_is_there_while_it_is_registered(discovery: Discovery) -> None:
    async with discovery.register(LOGIC):
        await until_nodes(discovery, {"logic-1": LOGIC})
        assert discovery.nodes("logic") == {"logic-1": LOGIC}
        assert discovery.nodes("repo") == {}
    await until_nodes(discovery, {})
    assert discovery.nodes("logic") == {}


async def test_draining_is_told(discovery: Discovery) -> None:
    async with discovery.register(LOGIC) as registration:
        await registration.set_draining()
        await until_nodes(discovery, {"logic-1": replace(LOGIC, draining=True)})


async def test_another_boot_takes_the_place_of_the_first(discovery: Discovery) -> None:
    newer = replace(LOGIC, boot_id="boot-2", address="127.0.0.1:9001")
    async with discovery.register(LOGIC), discovery.register(newer):
        await until_nodes(discovery, {"logic-1": newer})


async def test_watching_tells_the_view_now_and_after_each_change(discovery: Discovery) -> None:
    other = Node("logic", "logic-2", "boot-1", "127.0.0.1:9001")
    async with asyncio.timeout(5):
        watching = discovery.watch("logic")
        assert await anext(watching) == {}
        async with discovery.register(LOGIC):
            assert await anext(watching) == {"logic-1": LOGIC}
            async with discovery.register(other):
                assert await anext(watching) == {"logic-1": LOGIC, "logic-2": other}
        assert await anext(watching) == {}


async def test_watchers_do_not_disturb_each_other(discovery: Discovery) -> None:
    async with asyncio.timeout(5):
        first, second = discovery.watch("logic"), discovery.watch("logic")
        assert await anext(first) == await anext(second) == {}
        async with discovery.register(LOGIC):
            assert await anext(first) == {"logic-1": LOGIC}
            assert await anext(second) == {"logic-1": LOGIC}


async def test_two_leases_never_share_a_worker_id(discovery: Discovery) -> None:
    leases = [await discovery.lease_worker() for _ in range(5)]
    assert len({lease.worker_id for lease in leases}) == 5


async def test_leases_taken_at_the_same_time_do_not_share_a_worker_id(discovery: Discovery) -> None:
    leases = await asyncio.gather(*(discovery.lease_worker() for _ in range(5)))
    assert len({lease.worker_id for lease in leases}) == 5


async def test_a_worker_id_is_used_again_only_above_its_recorded_time(member: Member) -> None:
    first = await member.discovery.lease_worker()
    member.let_lease_end(first)
    second = await member.discovery.lease_worker()
    assert second.worker_id != first.worker_id or second.floor_time >= first.high_time


async def test_a_lease_begins_above_what_is_asked_for_though_that_lies_ahead(member: Member) -> None:
    """After a restore ids are made from an hour ahead, and the lease's window lies there, too."""
    usual = await member.discovery.lease_worker()
    above = usual.high_time + 3_600_000
    ahead = await member.discovery.lease_worker(above=above)
    assert ahead.floor_time == above
    assert ahead.high_time > above
    renewed = await member.discovery.renew_worker(ahead)
    assert renewed.high_time >= ahead.high_time


async def test_renewing_extends_the_lease_of_the_same_worker(member: Member) -> None:
    lease = await member.discovery.lease_worker()
    renewed = await member.discovery.renew_worker(lease)
    assert renewed.worker_id == lease.worker_id
    assert renewed.floor_time == lease.floor_time
    assert renewed.high_time >= lease.high_time
    assert renewed.deadline >= lease.deadline


async def test_a_lease_that_was_given_to_another_is_not_renewed(member: Member) -> None:
    lost = await member.discovery.lease_worker()
    member.let_lease_end(lost)
    taken = await member.discovery.lease_worker()
    if taken.worker_id != lost.worker_id:
        pytest.skip("this member gave another worker id")
    with pytest.raises(ImError) as caught:
        await member.discovery.renew_worker(lost)
    assert caught.value.reason is error_table.UNAVAILABLE
    await member.discovery.renew_worker(taken)


async def test_it_answers(discovery: Discovery) -> None:
    await discovery.check()
