"""Everything the coordinator saw of a run, before it is judged."""

from dataclasses import dataclass, field
from typing import Any

from im_bench.measure.latency import Latency, Summary
from im_bench.measure.resources import Usage

Usages = dict[str, Usage]
"""By the process's name."""


@dataclass(slots=True)
class StepRecord:
    """One step, over all processes."""

    name: str
    began_s: float
    """Seconds since the run began."""
    ended_s: float = 0.0
    before: Usages = field(default_factory=dict)
    after: Usages = field(default_factory=dict)
    returned: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """One second, over all processes: what the series is made of."""

    t_s: float
    """Seconds from the run's beginning to its end."""
    step: str
    measured: bool
    offered_per_s: float
    acked_per_s: float
    delivered_per_s: float
    connections: int
    latency_ms: dict[str, Summary]
    """Of what ended in this second, by name; empty names are left out."""
    generator_cpu: list[float]
    """The share of a core that each generator process used."""
    resources: dict[str, dict[str, float]]
    """`cpu_share` and `rss_mib` of each watched process."""
    lag: dict[str, float] = field(default_factory=dict)
    """Records that wait in the bus, by topic, where it can be read."""


@dataclass(slots=True)
class Measured:
    """The measured window, over all processes."""

    elapsed_s: float = 0.0
    offered: int = 0
    acked: int = 0
    delivered: int = 0
    generator_cpu_s: list[float] = field(default_factory=list)
    """What each generator process used."""
    before: Usages = field(default_factory=dict)
    after: Usages = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """A run."""

    steps: list[StepRecord] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    latencies: dict[str, Latency] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    measured: Measured | None = None
    """None for a scenario that does not drive at a rate, or a run that was stopped before it did."""
    stopped: bool = False
    """By hand, before its time."""

    def step(self, name: str) -> StepRecord | None:
        """A step; None when the run did not come so far."""
        return next((step for step in self.steps if step.name == name), None)

    def told(self, name: str) -> list[Any]:
        """What each process returned from a step."""
        step = self.step(name)
        return step.returned if step is not None else []
