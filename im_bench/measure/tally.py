"""What a generator process counts while it drives; taken and sent to the coordinator each second."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from im_bench.measure.latency import Counts, Recorder

SLIP: Final = "slip"
"""How much later than intended arrivals left the generator: never part of what the server is told it took."""


@dataclass(frozen=True, slots=True)
class Second:
    """One process's counts of one second (or of what is left of one at the end of a phase)."""

    measured: bool
    """It lies in the measured window."""
    length_s: float
    offered: int
    acked: int
    delivered: int
    connections: int
    """Open at its end."""
    cpu_s: float
    """What the process used."""
    latencies: dict[str, Counts]
    counts: dict[str, int] = field(default_factory=dict)
    """What else a scenario counts, by name."""


class Tally:
    """Counts, until `end_second` takes them. Its integers are public: they are counted on the hot path."""

    def __init__(self) -> None:
        self.offered = 0
        self.acked = 0
        self.delivered = 0
        self.connections = 0
        """A level, not a count: it stays."""
        self.ack = Recorder()
        self.delivery = Recorder()
        self.slip = Recorder()
        self.others: defaultdict[str, Recorder] = defaultdict(Recorder)
        """Latencies of a scenario's own, by name."""
        self.counts: defaultdict[str, int] = defaultdict(int)
        """Counts of a scenario's own, by name; refusals are among them."""
        self._begun, self._cpu_s = time.monotonic(), time.process_time()

    def end_second(self, *, measured: bool) -> Second:
        """Take what was counted since the last time."""
        now, cpu_s = time.monotonic(), time.process_time()
        recorders = {"ack": self.ack, "delivery": self.delivery, SLIP: self.slip, **self.others}
        taken = {name: recorder.take() for name, recorder in recorders.items()}
        second = Second(
            measured=measured,
            length_s=now - self._begun,
            offered=self.offered,
            acked=self.acked,
            delivered=self.delivered,
            connections=self.connections,
            cpu_s=cpu_s - self._cpu_s,
            latencies={name: counts for name, counts in taken.items() if counts},
            counts=dict(self.counts),
        )
        self.offered = self.acked = self.delivered = 0
        self.counts.clear()
        self._begun, self._cpu_s = now, cpu_s
        return second
