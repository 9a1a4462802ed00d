"""What a run counts while it drives: totals, seconds and latencies."""

from dataclasses import dataclass, field
from typing import Final

from im_bench.ledger import Correctness
from im_bench.result import Latency

EVENTS: Final = ("offered", "acked", "delivered")


@dataclass(slots=True)
class Tally:
    """Everything that is counted; `start_measuring` drops the warm-up's figures, never its correctness."""

    correctness: Correctness = field(default_factory=Correctness)
    ack: Latency = field(default_factory=Latency)
    delivery: Latency = field(default_factory=Latency)
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(EVENTS, 0))
    second: dict[str, int] = field(default_factory=lambda: dict.fromkeys(EVENTS, 0))
    series: list[dict[str, float]] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    """Retryable refusals by name: each was sent again with the same id."""

    def count(self, event: str) -> None:
        """One more of `EVENTS`."""
        self.totals[event] += 1
        self.second[event] += 1

    def end_second(self, *, keep: bool) -> dict[str, int]:
        """Close the second and return it; `keep` adds it to the series."""
        ended, self.second = self.second, dict.fromkeys(EVENTS, 0)
        if keep:
            self.series.append({name: float(count) for name, count in ended.items()})
        return ended

    def start_measuring(self) -> None:
        """Forget the figures so far; being told of a new conversation while connecting is no resync either."""
        self.ack.reset()
        self.delivery.reset()
        self.totals = dict.fromkeys(EVENTS, 0)
        self.series.clear()
        self.correctness.resync = 0
