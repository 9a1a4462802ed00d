"""A fault: how it is made and healed, what is promised all the same, and what was seen of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.harness import figures
from tests.harness.cluster_site import ClusterSite
from tests.harness.fake_clock import FakeClock
from tests.harness.herd import Herd
from tests.harness.history import History
from tests.harness.workload import Workload

ANSWERED_S: Final = 5.0
"""A send that was answered by then succeeded."""


Inject = Callable[["Scene"], AbstractAsyncContextManager[None]]
"""Breaks something on entry, and has healed it when its exit returns."""


@asynccontextmanager
async def _nothing(_scene: "Scene") -> AsyncIterator[None]:
    yield


@dataclass(frozen=True, slots=True)
class Gate:
    """What a run must reach besides losing and doubling nothing. Times are in seconds from the heal."""

    recovery_s: float = 15.0
    """Until everybody is connected, and nothing is answered or shown late any more."""
    away_s: float = 30.0
    """The longest that a client may be without a connection, and 95 % of them no longer than `most_away_s`."""
    most_away_s: float = 30.0
    shown_s: float = 10.0
    """Until an online member sees what was acked."""
    answered: float = 0.0
    """Of what is offered while it is broken, the share that is answered within 5 s."""

    def __str__(self) -> str:
        told = [f"recovery ≤ {self.recovery_s:.0f} s"]
        if self.most_away_s < self.away_s:
            told.append(f"95 % back in {self.most_away_s:.0f} s, all in {self.away_s:.0f} s")
        if self.answered:
            told.append(f"{self.answered * 100:g}% of sends succeed")
        return ", ".join(told)


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the table."""

    name: str
    promise: str
    inject: Inject
    gate: Gate = Gate()
    hold_s: float = 2.0
    """How long it stays broken before the heal begins."""
    before: Inject = _nothing
    """Holds from before the fault until all was read."""


@dataclass(slots=True)
class Scene:
    """One fault of a run: what it works on, and what it found."""

    fault: Fault
    site: ClusterSite
    load: Workload
    history: History
    clock: FakeClock | None = None
    """Of a process that has one of its own."""
    herd: Herd | None = None
    """Clients besides the load."""
    unmet: list[str] = field(default_factory=list)
    """Gates of its own that were not reached, in words."""
    measured: list[str] = field(default_factory=list)
    """Figures of its own, for the table."""
    began_at: float = 0.0
    broken_at: float = 0.0
    healed_at: float = 0.0
    ended_at: float = 0.0
    """Monotonic seconds, as in the history."""
    load_average: float = 0.0
    """The machine's, of the last minute."""

    def expect(self, reached: bool, told: str) -> None:
        """Measure something that has to be as told."""
        self.measured.append(told)
        if not reached:
            self.unmet.append(told)

    @property
    def recovery_s(self) -> float:
        """Seconds from the heal until all was as before."""
        return figures.recovery_s(self.history.happenings, healed=self.healed_at, end=self.ended_at)

    def missed(self) -> list[str]:
        """Every gate that was not reached, in words."""
        happened, gate, found = self.history.happenings, self.fault.gate, list(self.unmet)
        if (recovery_s := self.recovery_s) > gate.recovery_s:
            found.append(f"recovery took {recovery_s:.1f} s")
        shown_s = figures.shown_s(happened, healed=self.healed_at, end=self.ended_at)
        if shown_s > gate.shown_s:
            found.append(f"an online member saw an acked message {shown_s:.1f} s late")
        away = figures.away_s(happened, begin=self.broken_at, end=self.ended_at)
        if away and away[-1] > gate.away_s:
            found.append(f"a client was away for {away[-1]:.1f} s")
        if (most := figures.quantile(away, 0.95)) > gate.most_away_s:
            found.append(f"1 of 20 clients was away for {most:.1f} s")
        share = figures.answered_share(happened, begin=self.broken_at, end=self.healed_at, within_s=ANSWERED_S)
        if share < gate.answered:
            found.append(f"only {share:.1%} of sends succeeded")
        return found
