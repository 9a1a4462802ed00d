"""The load tester against planted violations: each must get the verdict it deserves, or no verdict means anything."""

import statistics

import pytest

from im_bench.accounts import AccountApi, made_up
from im_bench.adapters.abstract import Endpoint
from im_bench.report.judge import BUSY_SHARE, SLIP_LIMIT_MS
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.run.coordinator import Listener
from im_bench.run.execute import execute
from im_bench.run.generator import GeneratorBugError
from im_bench.run.plan import Plan
from im_bench.run.target import Target
from im_bench.scenarios.private import PrivateScenario, PrivateSettings
from tests.bench_support.echo_servers import Stall, Stopwatch, echo_server
from tests.support.cluster import Cluster

PAIRS = 2
LANES = 2 * PAIRS


async def drive(cluster: Cluster, adapter: str, settings: PrivateSettings | None = None) -> Result:
    """A short run through one of the tampering adapters."""
    settings = settings or PrivateSettings(pairs=PAIRS, rate=40, duration=1.5, warm_up=0, size=10, drain=2)
    accounts = await AccountApi(cluster.url).make("registered", 2 * settings.pairs, progress=lambda _done: None)
    place = f"tests.bench_support.tampering:{adapter}"
    plan = Plan(PrivateScenario, settings, Target(Endpoint(cluster.url)), accounts, place)
    return await execute(plan, Listener())


async def drive_echo(url: str, *, pairs: int, rate: float, duration: float) -> Result:
    settings = PrivateSettings(pairs=pairs, rate=rate, duration=duration, warm_up=0, size=10)
    plan = Plan(PrivateScenario, settings, Target(Endpoint(url)), made_up(2 * pairs), "echo")
    return await execute(plan, Listener())


@pytest.mark.parametrize(
    ("adapter", "counts"),
    [
        ("Losing", {"lost": LANES, "unstored": LANES}),
        ("Forgetting", {"unstored": LANES}),
        ("Doubling", {"duplicate": LANES}),
        ("Swapping", {"out_of_order": LANES, "gap": LANES}),
    ],
)
async def test_a_planted_fault_is_incorrect_and_counted_exactly(
    cluster: Cluster, adapter: str, counts: dict[str, int]
) -> None:
    result = await drive(cluster, adapter)
    assert result.verdict is Verdict.INCORRECT, result
    found = {name: count for name, count in result.as_json()["correctness"].items() if count and name != "repeat"}
    assert {name: found.get(name) for name in counts} == counts
    assert set(found) <= {*counts, "gap"}


async def test_a_history_that_cannot_be_read_makes_a_run_invalid(cluster: Cluster) -> None:
    """All was acked and pushed; whether it is stored nobody knows."""
    result = await drive(cluster, "Unreadable")
    assert result.verdict is Verdict.INVALID, result
    assert any(f"the history of {PAIRS} conversations could not be re-read" in reason for reason in result.reasons)


async def test_what_was_not_pushed_and_is_in_the_history_is_a_gap_and_no_loss(cluster: Cluster) -> None:
    result = await drive(cluster, "Unpushed")
    assert result.verdict is Verdict.GOOD, result.reasons
    assert (result.correctness.lost, result.correctness.gap) == (0, LANES)


async def test_entries_pushed_again_are_repeats_and_no_fault(cluster: Cluster) -> None:
    result = await drive(cluster, "Repeating")
    assert result.verdict is Verdict.GOOD, result.reasons
    assert result.correctness.repeat >= 40
    assert result.correctness.duplicate == 0


async def test_a_generator_that_is_too_slow_makes_its_own_run_invalid(cluster: Cluster) -> None:
    settings = PrivateSettings(pairs=40, rate=500, duration=2, warm_up=0, size=10)
    result = await drive(cluster, "Loafing", settings)
    assert result.generator["slip_p99_ms"] > SLIP_LIMIT_MS
    # On a machine that others filled it did not get its core, and says that instead.
    was_the_bottleneck = result.generator["cpu_share"] > BUSY_SHARE
    assert result.verdict is (Verdict.INVALID if was_the_bottleneck else Verdict.GOOD)
    told = result.reasons if was_the_bottleneck else result.notes
    assert any("the generator was the bottleneck" in each or "the machine was full" in each for each in told)


async def test_a_generator_that_dies_is_no_result(cluster: Cluster) -> None:
    with pytest.raises(GeneratorBugError, match="code 9"):
        await drive(cluster, "Crashing", PrivateSettings(pairs=1, rate=10, duration=30, warm_up=0))


async def test_its_latency_agrees_with_an_independent_stopwatch() -> None:
    stopwatch = Stopwatch(0.2, 0.6)
    async with echo_server(stopwatch.echo) as url:
        result = await drive_echo(url, pairs=20, rate=40, duration=4)
    cuts = statistics.quantiles(stopwatch.taken_s, n=100)
    for name, percentile in (("p50", 50), ("p90", 90)):
        told = result.latency_ms["delivery"][name]
        assert told is not None
        assert told / 1000 == pytest.approx(cuts[percentile - 1], rel=0.05)


async def test_a_stall_shows_in_everything_that_was_due_meanwhile() -> None:
    stall_s = 1.5
    async with echo_server(Stall(after=50, stall_s=stall_s).echo) as url:
        result = await drive_echo(url, pairs=10, rate=100, duration=3)
    assert result.verdict is Verdict.GOOD, "slow is no fault"
    delivery = result.latency_ms["delivery"]
    assert delivery["max"] is not None
    assert delivery["max"] / 1000 >= 0.9 * stall_s
    # Half of what was due in three seconds was due while it stalled, and waited half of that time on average.
    assert delivery["p90"] is not None
    assert delivery["p90"] / 1000 >= 0.5 * stall_s, "waiting for one answer must not hide what was due after it"
