"""The scenario `reconnect`."""

import asyncio
import itertools
import math
import time
from collections import deque
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, cast

from im_bench.adapters.abstract import AdapterError
from im_bench.adapters.im.connection import Connection
from im_bench.load.crew import Crew, Person
from im_bench.report.record import Record
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.scenarios.abstract import Kind, People, Scenario, Step, Told
from im_bench.scenarios.devices import people_for
from im_bench.scenarios.option import MOST_PEOPLE, MOST_S, Option, Settings

INSTANCES: Final = 3
"""The server may learn of a new connection before the old one's end: half of what a device may hold, at most."""
FIRST_JITTER_S: Final = 2.0
LONGEST_S: Final = 30.0
FAILED: Final = "tried in vain: "


@dataclass(frozen=True, kw_only=True)
class ReconnectSettings(Settings):
    """What the run does."""

    connections: Annotated[int, Option("Connections that are cut at the same moment.", min=1, max=MOST_PEOPLE)] = 2_000
    within: Annotated[
        float,
        Option("Seconds in which all must be back; those that are not are told.", min=1, max=MOST_S, is_duration=True),
    ] = 60.0


class ReconnectScenario(Scenario[ReconnectSettings]):
    """All connections are cut at the same moment and come back as our SDKs do: at random within 2 s, then ever later.

    Reports how long after the cut each was back, when 95 % and all of them were, and how many tries were refused.
    """

    name: ClassVar[str] = "reconnect"
    settings_type = ReconnectSettings
    steps: ClassVar[tuple[Step, ...]] = (
        Step("gather", "connecting"),
        Step("storm", "cut, and coming back"),
    )
    latencies: ClassVar[tuple[str, ...]] = ("back", "connect")
    figures: ClassVar[tuple[str, ...]] = ("back", "back_95_s", "back_all_s")

    def __init__(self, crew: Crew, settings: ReconnectSettings) -> None:
        super().__init__(crew, settings)
        self._turn = itertools.cycle(crew.people)

    @classmethod
    def people(cls, settings: ReconnectSettings) -> People:
        """Each with several instances of a device."""
        return People(people_for(settings.connections, instances=INSTANCES), Kind.GUEST)

    async def gather(self, _told: Told) -> None:
        """Connect this process's part."""
        part, wanted = self.crew.part, self.settings.connections
        mine = wanted * (part.index + 1) // part.count - wanted * part.index // part.count
        await self.crew.each(list(itertools.islice(self._turn, mine)), self.crew.connect)

    async def storm(self, _told: Told) -> list[float]:
        """Cut all, and wait until they are back; gives the seconds that each took."""
        seats = deque(self.crew.seats)
        cut_at = time.monotonic()
        for seat in seats:
            cast("Connection", seat.client).cut()
        self.crew.seats.clear()
        back: list[float] = []
        async with asyncio.TaskGroup() as tasks:
            for seat in seats:
                tasks.create_task(self._come_back(seat.person, cut_at, back))
        return back

    async def _come_back(self, person: Person, cut_at: float, back: list[float]) -> None:
        deadline, longest_s = cut_at + self.settings.within, FIRST_JITTER_S
        while not self.crew.stopped:
            await self.crew.rest(self.crew.random.uniform(0, longest_s))
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return
            try:
                async with asyncio.timeout(left_s):
                    await self.crew.connect(person)
            except TimeoutError:
                return
            except AdapterError as error:
                self.crew.tally.counts[FAILED + error.reason] += 1
                longest_s = min(LONGEST_S, longest_s * 2)
                continue
            took_s = time.monotonic() - cut_at
            self.crew.tally.others["back"].record(took_s)
            back.append(took_s)
            return

    @classmethod
    def conclude(cls, settings: ReconnectSettings, record: Record, result: Result) -> None:
        """When they were back."""
        back = sorted(itertools.chain.from_iterable(record.told("storm")))
        result.measured["back"] = float(len(back))
        # Of all that were cut: a share that is not back has no time yet.
        for name, needed in (
            ("back_95_s", math.ceil(0.95 * settings.connections)),
            ("back_all_s", settings.connections),
        ):
            if len(back) >= needed:
                result.measured[name] = round(back[needed - 1], 2)
        if missing := settings.connections - len(back):
            result.worsen(
                Verdict.TARGET_MISSED, f"{missing:,} of {settings.connections:,} were not back in {settings.within:g} s"
            )
