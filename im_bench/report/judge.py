"""Turns what the coordinator saw into a result, and says what it is worth."""

from dataclasses import asdict
from typing import Final

from im_bench.measure.steady import MeasuredSecond, find_steady
from im_bench.measure.tally import SLIP
from im_bench.report.expectations import main_latency
from im_bench.report.record import Record, Usages
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict

SLIP_LIMIT_MS: Final = 10.0
BUSY_SHARE: Final = 0.85
"""Above both, the generator was the bottleneck."""
DRIVE: Final = "drive"
"""The step of every scenario that offers load by a schedule."""


def summarise(record: Record, result: Result) -> None:
    """Put what was counted into the result."""
    result.latency_ms = {name: latency.summary() for name, latency in record.latencies.items() if name != SLIP}
    result.histograms = {name: latency.encoded() for name, latency in record.latencies.items()}
    result.series = record.rows
    result.counts = dict(record.counts)
    result.steps = [
        {"name": step.name, "began_s": round(step.began_s, 3), "ended_s": round(step.ended_s, 3)}
        for step in record.steps
    ]
    slip = record.latencies.get(SLIP)
    result.generator = {"processes": 0, "cpu_share": None, "slip_p99_ms": slip.at(99) if slip is not None else None}
    measured = record.measured
    if measured is None or measured.elapsed_s <= 0:
        return
    result.offered_per_s = round(measured.offered / measured.elapsed_s, 1)
    result.acked_per_s = round(measured.acked / measured.elapsed_s, 1)
    result.delivered_per_s = round(measured.delivered / measured.elapsed_s, 1)
    shares = [round(cpu_s / measured.elapsed_s, 3) for cpu_s in measured.generator_cpu_s]
    result.generator |= {"processes": len(shares), "cpu_share": max(shares, default=None), "cpu_shares": shares}
    result.resources = used(measured.before, measured.after)


def used(before: Usages, after: Usages) -> dict[str, dict[str, float]] | None:
    """What processes used between two moments; None when none could be read."""
    return {
        name: {
            "cpu_s": round(after[name].cpu_s - before[name].cpu_s, 2),
            "rss_mib": round(after[name].rss_mib, 1),
        }
        for name in sorted(after.keys() & before.keys())
    } or None


def find_steadiness(result: Result) -> None:
    """Say whether the measured seconds describe a steady state."""
    main = main_latency(result)
    seconds = [
        MeasuredSecond(row.offered_per_s, row.acked_per_s, row.latency_ms.get(main or "", {}).get("p50"))
        for row in result.series
        if row.measured
    ]
    if not seconds:
        return
    found = find_steady(seconds, closed=bool(result.settings.get("closed")))
    result.steady = asdict(found)
    if not found.steady:
        result.note(f"no steady state: {found.reason}")


def judge(record: Record, result: Result) -> None:
    """Say what the result is worth: correctness first, then whether the generator can be believed."""
    result.stopped = record.stopped
    if record.stopped:
        result.note("stopped by hand before its time: the figures are of what was measured until then")
    if not result.correctness.clean:
        result.worsen(Verdict.INCORRECT, "messages were lost, doubled or out of order")
    _judge_emptiness(record, result)
    if not result.keeps_up:
        share = (result.acked_per_s or 0) / (result.offered_per_s or 1)
        result.notes.insert(0, f"the server did not keep up: {share:.0%} of what was offered was acked in time")
    if never_sent := record.counts.get("never sent"):
        result.note(
            f"{never_sent:,} messages were due and still waited for their sender's last one at the end: "
            "their age counts as their latency"
        )
    find_steadiness(result)
    _judge_generator(result)


def _judge_emptiness(record: Record, result: Result) -> None:
    """A drive in which nothing succeeded proves nothing, however few faults it has."""
    measured = record.measured
    if record.step(DRIVE) is None or (measured is not None and measured.acked):
        return
    offered = measured.offered if measured is not None else 0
    told = f"{offered:,} were offered and none was acked" if offered else "nothing was measured"
    result.worsen(Verdict.INVALID, told)


def _judge_generator(result: Result) -> None:
    """A generator that was late and busy measured itself."""
    slip, share = result.generator["slip_p99_ms"], result.generator["cpu_share"]
    if generator_bound(result):
        result.worsen(
            Verdict.INVALID,
            f"the generator was the bottleneck: {slip:.1f} ms late (p99), {share:.0%} of a core; try more --workers",
        )
    elif slip is not None and slip > SLIP_LIMIT_MS:
        result.note(f"the schedule slipped by {slip:.1f} ms (p99): the machine was full, not the generator")


def generator_bound(result: Result) -> bool:
    """Whether the load tester itself was the bottleneck: nothing can be said of the server then."""
    slip, share = result.generator.get("slip_p99_ms"), result.generator.get("cpu_share")
    return slip is not None and share is not None and slip > SLIP_LIMIT_MS and share > BUSY_SHARE
