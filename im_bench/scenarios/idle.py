"""The scenario `idle`."""

import itertools
import time
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, cast

from im_bench.adapters.im.connection import Connection
from im_bench.load.crew import Crew
from im_bench.report.record import Record, StepRecord
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.scenarios.abstract import Kind, People, Scenario, Step, Told
from im_bench.scenarios.devices import people_for
from im_bench.scenarios.option import MOST_PEOPLE, MOST_S, Option, Settings

SETTLE_S: Final = 2.0
"""Memory is read so long after the last connection: what opening took is given back by then."""
PING_S: Final = 45.0
PINGS_AT_ONCE: Final = 10


@dataclass(frozen=True, kw_only=True)
class IdleSettings(Settings):
    """What the run does."""

    low: Annotated[int, Option("Connections at the first reading of memory.", min=1, max=MOST_PEOPLE)] = 2_000
    high: Annotated[int, Option("Connections at the second.", min=2, max=MOST_PEOPLE)] = 10_000
    hold: Annotated[
        float, Option("Seconds the high number is held, with pings.", min=1, max=MOST_S, is_duration=True)
    ] = 30.0


class IdleScenario(Scenario[IdleSettings]):
    """Many connections that say nothing but pings.

    Reports the memory of one connection (the slope between two numbers of them, so that what a process needs anyway
    does not count), the share of a core that all of them take, and the latencies of connecting and of a ping's answer.
    """

    name: ClassVar[str] = "idle"
    settings_type = IdleSettings
    steps: ClassVar[tuple[Step, ...]] = (
        Step("reach_low", "connecting the first"),
        Step("settle_low", "letting memory settle"),
        Step("reach_high", "connecting the rest"),
        Step("settle_high", "letting memory settle"),
        Step("hold", "holding, with pings"),
    )
    latencies: ClassVar[tuple[str, ...]] = ("ping", "connect")
    figures: ClassVar[tuple[str, ...]] = ("connections", "*_kib_per_connection", "*_idle_cpu_share")

    def __init__(self, crew: Crew, settings: IdleSettings) -> None:
        super().__init__(crew, settings)
        self._turn = itertools.cycle(crew.people)

    @classmethod
    def people(cls, settings: IdleSettings) -> People:
        """Each with several instances of a device."""
        return People(people_for(settings.high), Kind.GUEST)

    @classmethod
    def problem(cls, settings: IdleSettings) -> str | None:
        """The numbers must rise."""
        return None if settings.high > settings.low else "--high must be above --low"

    async def reach_low(self, _told: Told) -> None:
        """Connect this process's part of the low number."""
        await self._reach(self.settings.low)

    async def reach_high(self, _told: Told) -> None:
        """Connect this process's part of the rest."""
        await self._reach(self.settings.high)

    async def settle_low(self, _told: Told) -> None:
        """Wait."""
        await self.crew.rest(SETTLE_S)

    async def settle_high(self, _told: Told) -> None:
        """Wait."""
        await self.crew.rest(SETTLE_S)

    async def hold(self, _told: Told) -> None:
        """Ping every connection once in a while, spread evenly."""
        end = time.monotonic() + self.settings.hold
        turn = itertools.cycle(list(self.crew.seats))
        due = time.monotonic()
        while not self.crew.stopped and (now := time.monotonic()) < end:
            for _ in range(PINGS_AT_ONCE):
                self._ping(cast("Connection", next(turn).client))
            due += PING_S * PINGS_AT_ONCE / len(self.crew.seats)
            await self.crew.rest(max(0.0, min(due, end) - now))

    def _ping(self, connection: Connection) -> None:
        sent = time.monotonic()
        recorder = self.crew.tally.others["ping"]
        connection.ping(lambda: recorder.record(time.monotonic() - sent))

    async def _reach(self, number: int) -> None:
        part = self.crew.part
        wanted = number * (part.index + 1) // part.count - number * part.index // part.count
        more = list(itertools.islice(self._turn, wanted - len(self.crew.seats)))
        await self.crew.each(more, self.crew.connect)

    @classmethod
    def conclude(cls, settings: IdleSettings, record: Record, result: Result) -> None:
        """The slope of memory, and what holding took."""
        low, high, hold = (record.step(name) for name in ("settle_low", "settle_high", "hold"))
        if low is None or high is None or hold is None or record.stopped:
            result.worsen(Verdict.INVALID, "it was stopped before the connections were held")
            return
        result.measured["connections"] = float(settings.high)
        if closed := sum(count for name, count in record.counts.items() if name.startswith("closed with")):
            result.worsen(Verdict.INVALID, f"{closed} connections were closed by the server")
        if not hold.after:
            result.note("the server is not on this machine: its memory is not known")
        for name in hold.after.keys() & low.after.keys():
            result.measured |= _cost(name, low, high, hold, grown=settings.high - settings.low)
        result.resources = {
            name: {"cpu_s": round(usage.cpu_s - hold.before[name].cpu_s, 2), "rss_mib": round(usage.rss_mib, 1)}
            for name, usage in hold.after.items()
            if name in hold.before
        } or None


def _cost(name: str, low: StepRecord, high: StepRecord, hold: StepRecord, *, grown: int) -> dict[str, float]:
    """What the connections cost one process."""
    kib = (high.after[name].rss_mib - low.after[name].rss_mib) * 1024 / grown
    cpu_s = hold.after[name].cpu_s - hold.before[name].cpu_s
    return {
        f"{name}_kib_per_connection": round(kib, 2),
        f"{name}_idle_cpu_share": round(cpu_s / max(1e-3, hold.ended_s - hold.began_s), 4),
    }
