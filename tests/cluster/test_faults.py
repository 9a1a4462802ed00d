"""A distributed cluster of real engines and processes under faults: nothing is lost, nothing is shown twice, gates are met.

What is marked `faults` has its table in docs/reference/reliability.md; `make faults` makes it anew.
"""

import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from im_cli.cluster.engine_set import REQUIREMENTS
from im_cli.cluster.shape import Shape
from tests.harness import fake_clock, fault_table
from tests.harness.all_faults import DISK, KILLS, LONG, QUICK
from tests.harness.cluster_scenarios import SCENARIOS
from tests.harness.cluster_site import ClusterSite
from tests.harness.fault import Fault
from tests.harness.fault_run import DRAIN_S, FaultRun, fault_run
from tests.harness.faults import kills
from tests.harness.faults.disk import give_small_disk
from tests.harness.history import History, of_kind
from tests.harness.workload import Workload, until
from tests.support.engines import require
from tests.support.small_disk import may_mount

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUNDS = 5
ACKED = 20_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClusterSite]:
    """One cluster for this file: two of each service."""
    require(REQUIREMENTS)
    made = ClusterSite(tmp_path_factory.mktemp("faults") / "cluster")
    async with made.running():
        yield made


async def run(
    site: ClusterSite, faults: Sequence[Fault], folder: Path, *, senders: int = 16, rate_per_s: float = 30
) -> FaultRun:
    """Run them, heal whatever a failed one left, and check what holds of every run, however slow the machine is."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}, history in {folder}")  # noqa: T201 - to do a red run again
    try:
        done = await fault_run(site, faults, folder, senders=senders, rate_per_s=rate_per_s, seed=seed)
    finally:
        await site.heal()
    print(fault_table.to_markdown(done.rows()))  # noqa: T201 - the figures of `make faults`
    if path := os.environ.get("FAULT_ROWS"):
        fault_table.append(Path(path), fault_table.worst(done.rows()))
    assert done.violations() == []
    assert [unmet for scene in done.scenes for unmet in scene.unmet] == []
    return done


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_across_gateways(scenario: Callable[[ClusterSite], Awaitable[None]], site: ClusterSite) -> None:
    await scenario(site)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("faults", QUICK, ids=lambda faults: ", ".join(fault.name for fault in faults))
async def test_quick_faults(faults: Sequence[Fault], site: ClusterSite, tmp_path: Path) -> None:
    await run(site, faults, tmp_path)


@pytest.mark.faults
@pytest.mark.timeout(600)
async def test_an_ack_before_the_commit_turns_a_run_red(site: ClusterSite, tmp_path: Path) -> None:
    """A green run would mean nothing otherwise. Not every kill meets a batch between its ack and its commit: five do."""
    repos = ("repo-a", "repo-b")
    await site.plant("ack_after_the_first_results", *repos)
    try:
        done = await fault_run(site, [kills.both(*repos)] * 5, tmp_path, senders=16, rate_per_s=100, seed=1)
    finally:
        await site.heal()
        await site.plant("", *repos)
    assert done.lost() != []


@pytest.mark.faults
@pytest.mark.timeout(300)
async def test_nothing_of_the_large_group_is_shown_while_every_task_is_dead(site: ClusterSite, tmp_path: Path) -> None:
    """Kills of tasks would prove nothing otherwise. Who writes nothing learns nothing from acks; the rest comes afterwards."""
    tasks = ("task-a", "task-b")
    source = random.Random(1)
    with History(tmp_path / "history.jsonl") as history:

        def shown(log: int) -> int:
            return sum(
                one.device == "idle" and one.conversation_id == log for one in of_kind(history.happenings, "shown")
            )

        async with Workload(
            site, tmp_path, history, senders=16, rate_per_s=60, source=source, end_overlap=site.end_overlap
        ) as load:
            await site.kill(*tasks)
            try:
                counts = {load.common: 0, load.group: 0}
                for _ in range(2):  # the first time, what was on its way is still shown
                    counts = {log: shown(log) for log in counts}
                    await until(lambda before=counts[load.group]: shown(load.group) >= before + 10, 30)  # type: ignore[misc]
                assert shown(load.common) == counts[load.common]
            finally:
                await site.heal()
            await load.drain(DRAIN_S)
            log = (await load.read_as_first())[load.common]
        assert shown(load.common) == sum(bool(row.key) for row in log)


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("fault", LONG, ids=lambda fault: fault.name)
async def test_fault(fault: Fault, site: ClusterSite, tmp_path: Path) -> None:
    if fault.name.startswith(("clock", "repo killed", "worker lease")):
        require(fake_clock.REQUIREMENTS)
    done = await run(site, [fault], tmp_path)
    assert done.missed() == []


@pytest.mark.faults
@pytest.mark.timeout(1800)
async def test_twenty_kills_under_load(site: ClusterSite, tmp_path: Path) -> None:
    done = await run(site, KILLS * ROUNDS, tmp_path, senders=48, rate_per_s=150)
    assert done.missed() == []
    assert done.history.count("send_ok") >= ACKED


@pytest.mark.faults
@pytest.mark.timeout(600)
async def test_a_full_disk(tmp_path: Path) -> None:
    require(REQUIREMENTS)
    if not may_mount():
        pytest.skip("a size-limited disk needs root and mount namespaces")
    small = ClusterSite(tmp_path / "cluster", Shape(1, 1, 1, 1))
    async with small.running(prepared=give_small_disk):
        done = await run(small, [DISK], tmp_path)
    assert done.missed() == []
