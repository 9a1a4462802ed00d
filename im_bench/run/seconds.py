"""Puts the seconds of all generator processes together."""

from collections import defaultdict
from collections.abc import Callable

from im_bench.measure.latency import Counts, Latency, summary_of
from im_bench.measure.resources import Watch
from im_bench.measure.tally import SLIP, Second
from im_bench.report.record import Measured, Record, Row, Usages
from im_bench.run.lag import LagProbe


class Seconds:
    """Merges seconds into a record's rows and totals.

    Args:
        record: gets them.
        processes: how many generator processes there are.
        watch: the server's processes, read for each row.
        probe: the lag of the bus, as it was last told.
        clock: seconds since the run began.
        on_row: told each row.
    """

    def __init__(
        self,
        record: Record,
        processes: int,
        watch: Watch,
        probe: LagProbe,
        *,
        clock: Callable[[], float],
        on_row: Callable[[Row], None],
    ) -> None:
        self._record = record
        self._processes = processes
        self._watch = watch
        self._probe = probe
        self._clock = clock
        self._on_row = on_row
        self._open: dict[tuple[str, int], dict[int, Second]] = {}
        self._usages: Usages = {}
        self._read_s = 0.0

    def add(self, step: str, number: int, process: int, second: Second) -> None:
        """A process's second; once all have told theirs it becomes a row."""
        gathered = self._open.setdefault((step, number), {})
        gathered[process] = second
        self._count(process, second)
        if len(gathered) == self._processes:
            del self._open[(step, number)]
            self._emit(step, gathered)

    def end_step(self) -> None:
        """What not all processes had, such as a last bit of a second, becomes rows as it is."""
        for (step, number), gathered in sorted(self._open.items(), key=lambda item: item[0][1]):
            del self._open[(step, number)]
            self._emit(step, gathered)

    def _count(self, process: int, second: Second) -> None:
        """Add to the totals."""
        record = self._record
        for name, counts in second.latencies.items():
            record.latencies.setdefault(name, Latency()).add(counts)
        for name, count in second.counts.items():
            record.counts[name] = record.counts.get(name, 0) + count
        if not second.measured:
            return
        if record.measured is None:
            record.measured = Measured(generator_cpu_s=[0.0] * self._processes)
        measured = record.measured
        measured.elapsed_s += second.length_s / self._processes
        measured.offered += second.offered
        measured.acked += second.acked
        measured.delivered += second.delivered
        measured.generator_cpu_s[process] += second.cpu_s

    def _emit(self, step: str, gathered: dict[int, Second]) -> None:
        seconds = [gathered[process] for process in sorted(gathered)]
        length_s = max(second.length_s for second in seconds)
        if length_s < 0.05 and not any(second.acked or second.delivered for second in seconds):
            return  # what is left of a second when a step ends at its edge
        latencies: defaultdict[str, Counts] = defaultdict(dict)
        for second in seconds:
            for name, counts in second.latencies.items():
                merged = latencies[name]
                for value, count in counts.items():
                    merged[value] = merged.get(value, 0) + count
        row = Row(
            t_s=round(self._clock(), 3),
            step=step,
            measured=all(second.measured for second in seconds),
            offered_per_s=round(sum(second.offered for second in seconds) / length_s, 1),
            acked_per_s=round(sum(second.acked for second in seconds) / length_s, 1),
            delivered_per_s=round(sum(second.delivered for second in seconds) / length_s, 1),
            connections=sum(second.connections for second in seconds),
            latency_ms={name: summary_of(counts) for name, counts in latencies.items() if name != SLIP},
            generator_cpu=[round(second.cpu_s / second.length_s, 3) for second in seconds],
            resources=self._resources(),
            lag=dict(self._probe.lag),
        )
        self._record.rows.append(row)
        self._on_row(row)

    def _resources(self) -> dict[str, dict[str, float]]:
        """What the watched processes used since the last row."""
        now, usages = self._clock(), self._watch.read()
        elapsed = max(1e-3, now - self._read_s)
        told = {
            name: {
                "cpu_share": round((usage.cpu_s - self._usages[name].cpu_s) / elapsed, 3),
                "rss_mib": round(usage.rss_mib, 1),
            }
            for name, usage in usages.items()
            if name in self._usages
        }
        self._usages, self._read_s = usages, now
        return told
