"""A run's result: what is printed, written as JSON, drawn and compared.

The keys are a schema of their own (`schema.json`): additions keep `schema_version`, anything else raises it.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from im_bench.ledger.correctness import Correctness
from im_bench.measure.latency import Summary
from im_bench.report.keeping_up import keeps_up
from im_bench.report.record import Row
from im_bench.report.verdict import Verdict

SCHEMA_VERSION: Final = 1


@dataclass(slots=True)
class Result:
    """Everything a run found out."""

    scenario: str
    settings: dict[str, Any]
    environment: dict[str, Any] = field(default_factory=dict)
    began_time: int = 0
    """Milliseconds since the epoch."""
    stopped: bool = False
    """Ended by hand before its time."""
    verdict: Verdict = Verdict.GOOD
    reasons: list[str] = field(default_factory=list)
    """Why the verdict is not GOOD."""
    notes: list[str] = field(default_factory=list)
    """What else a reader must know."""
    offered_per_s: float | None = None
    acked_per_s: float | None = None
    delivered_per_s: float | None = None
    latency_ms: dict[str, Summary] = field(default_factory=dict)
    histograms: dict[str, str] = field(default_factory=dict)
    correctness: Correctness = field(default_factory=Correctness)
    counts: dict[str, int] = field(default_factory=dict)
    """What else was counted: refusals that were sent again, connections that were closed."""
    resources: dict[str, dict[str, float]] | None = None
    """By process: CPU of the measured window, memory at its end; None when the server is on another machine."""
    generator: dict[str, Any] = field(default_factory=dict)
    steady: dict[str, Any] | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    series: list[Row] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)
    """What only this scenario measures, such as bytes per connection."""

    @property
    def keeps_up(self) -> bool:
        """Whether the server acked what it was offered."""
        return keeps_up(self.offered_per_s, self.acked_per_s, closed=bool(self.settings.get("closed")))

    def worsen(self, verdict: Verdict, reason: str) -> None:
        """Note a reason for a verdict; the heaviest one counts."""
        self.reasons.append(reason)
        if verdict.weight > self.verdict.weight:
            self.verdict = verdict

    def note(self, text: str) -> None:
        """Note what a reader must know, and what makes no run worse."""
        self.notes.append(text)

    def as_json(self) -> dict[str, Any]:
        """The documented shape."""
        raw = asdict(self)
        raw["verdict"] = self.verdict.name
        return {"schema_version": SCHEMA_VERSION, **raw}

    def as_short_json(self) -> dict[str, Any]:
        """The same shape, without what makes it long: for files of many runs."""
        return {**self.as_json(), "series": [], "histograms": {}}
