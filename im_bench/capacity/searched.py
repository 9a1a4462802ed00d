"""A search as far as it has come: its rule, and the runs that it asked for."""

from dataclasses import dataclass, field
from typing import Any

from im_bench.capacity.search import Search
from im_bench.capacity.sweep import Axis, Sweep
from im_bench.report.result import SCHEMA_VERSION, Result


@dataclass(slots=True)
class Searched:
    """A search, and the runs that it asked for so far."""

    rule: Search
    scenario: str
    p99_ms: float
    steps: list[dict[str, Any]] = field(default_factory=list)
    runs: list[tuple[float, Result]] = field(default_factory=list)
    """By rate, in their order."""

    def add(self, rate: float, result: Result, reason: str) -> None:
        """A run has ended; the reason says why its rate broke, and is empty when it held."""
        self.rule.tell(rate, sustained=not reason)
        self.steps.append({"rate": rate, "sustained": not reason, "reason": reason, "result": result.as_json()})
        self.runs.append((rate, result))

    def as_json(self, machine: dict[str, Any], *, end: str) -> dict[str, Any]:
        """The file's shape."""
        return {
            "schema_version": SCHEMA_VERSION, "kind": "search", "scenario": self.scenario, "p99_ms": self.p99_ms,
            "highest_per_s": self.rule.held, "broke_per_s": self.rule.broke, "end": end, "environment": machine,
            "steps": self.steps,
        }  # fmt: skip

    def as_sweep(self) -> Sweep:
        """The same runs as figures over the rate, to be drawn."""
        sweep = Sweep(Axis("rate", sorted({rate for rate, _ in self.runs})), rounds=1)
        for rate, result in self.runs:
            sweep.add(rate, result)
        return sweep
