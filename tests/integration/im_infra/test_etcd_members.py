"""The registry on an etcd of three members: it goes on with two, keeps what it knew with one, and comes back by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from im_cli.engines.engine import Engine
from im_infra.clock import SystemClock
from im_infra.discovery.abstract import Discovery, Node
from im_infra.discovery.etcd.discovery import open_etcd
from im_infra.discovery.etcd.examine import examine_etcd
from im_infra.discovery.settings import EtcdSettings
from im_infra.errors import ImError
from im_infra.finding import Grade
from im_infra.observability.metrics import Metrics
from tests.support.etcd_members import etcd_members

WAIT_S = 30
ONE = Node("logic", "logic-1", "boot-1", "127.0.0.1:9000")
OTHER = Node("logic", "logic-2", "boot-1", "127.0.0.1:9001")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Engine]]:
    with etcd_members(tmp_path_factory.mktemp("etcd")) as members:
        yield members


@pytest.fixture
def members(three: Sequence[Engine]) -> Sequence[Engine]:
    """All of them run, whatever the test before did."""
    for member in three:
        if member.pid is None:
            member.start()
    return three


def settings_for(members: Sequence[Engine], prefix: str, *, first: int = 0) -> EtcdSettings:
    """All members, one of them asked first."""
    addresses = [member.address for member in members]
    return EtcdSettings(endpoints=(*addresses[first:], *addresses[:first]), prefix=prefix, timeout_s=2)


@asynccontextmanager
async def registry(settings: EtcdSettings) -> AsyncIterator[Discovery]:
    async with open_etcd(settings, SystemClock(), Metrics()) as discovery:
        yield discovery


async def until_nodes(discovery: Discovery, expected: set[str]) -> None:
    """Wait until exactly these are listed."""
    async with asyncio.timeout(WAIT_S):
        async for nodes in discovery.watch("logic"):
            if set(nodes) == expected:
                return


async def until_answered(discovery: Discovery) -> None:
    """Wait until a majority answers."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                await discovery.check()
            except ImError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_processes_that_ask_different_members_find_each_other(members: Sequence[Engine], tmp_path: Path) -> None:
    prefix = f"/{tmp_path.name}/"
    async with (
        registry(settings_for(members, prefix)) as one,
        registry(settings_for(members, prefix, first=1)) as other,
        one.register(ONE),
        other.register(OTHER),
    ):
        await asyncio.gather(*(until_nodes(each, {"logic-1", "logic-2"}) for each in (one, other)))
        leases = await asyncio.gather(*(each.lease_worker() for each in (one, other, one, other)))
        assert len({lease.worker_id for lease in leases}) == len(leases)


async def test_the_member_that_is_asked_may_die(members: Sequence[Engine], tmp_path: Path) -> None:
    """Who was listed stays, who comes is seen, and worker leases are renewed at another member."""
    prefix = f"/{tmp_path.name}/"
    async with registry(settings_for(members, prefix)) as one, one.register(ONE):
        lease = await one.lease_worker()
        members[0].kill()
        await until_answered(one)
        async with registry(settings_for(members, prefix, first=1)) as other, other.register(OTHER):
            await until_nodes(one, {"logic-1", "logic-2"})
            await until_nodes(other, {"logic-1", "logic-2"})
            renewed = await one.renew_worker(lease)
            assert renewed.worker_id == lease.worker_id
        await until_nodes(one, {"logic-1"})


async def test_without_a_majority_what_was_known_is_kept_until_there_is_one_again(
    members: Sequence[Engine], tmp_path: Path
) -> None:
    prefix = f"/{tmp_path.name}/"
    async with registry(settings_for(members, prefix, first=2)) as one, one.register(ONE):
        await until_nodes(one, {"logic-1"})
        members[0].kill()
        members[1].kill()
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    await one.check()
                except ImError:
                    break
                await asyncio.sleep(0.05)
        assert set(one.nodes("logic")) == {"logic-1"}
        with pytest.raises(ImError):
            await one.lease_worker()
        await asyncio.gather(*(asyncio.to_thread(member.start) for member in members[:2]))
        await until_answered(one)
        async with registry(settings_for(members, prefix)) as other:
            await until_nodes(other, {"logic-1"})


async def test_the_doctor_asks_each_member_and_names_the_one_that_is_away(members: Sequence[Engine]) -> None:
    settings = settings_for(members, "/doctor/")
    findings = await examine_etcd(settings, SystemClock())
    assert {finding.grade for finding in findings} == {Grade.GOOD}
    members[2].kill()
    async with asyncio.timeout(WAIT_S):
        while (
            len(bad := [each for each in await examine_etcd(settings, SystemClock()) if each.grade is Grade.BAD]) != 1
        ):
            pass  # it led, and the others are choosing another one
    assert members[2].address in bad[0].told
