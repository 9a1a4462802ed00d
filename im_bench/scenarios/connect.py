"""The scenario `connect`."""

import asyncio
import itertools
from collections import deque
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from im_bench.adapters.abstract import AdapterError
from im_bench.load.crew import Crew, Seat
from im_bench.load.pacer import Pacer
from im_bench.load.schedule import schedule
from im_bench.report.record import Record
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.scenarios.abstract import Kind, People, Scenario, Step, Told
from im_bench.scenarios.devices import people_for
from im_bench.scenarios.option import MOST_PEOPLE, MOST_PER_S, LoadSettings, Option

INSTANCES: Final = 4
"""Half of what a device may hold: the server may learn of a new connection before the old one's end."""
FAILED: Final = "not connected: "


@dataclass(frozen=True, kw_only=True)
class ConnectSettings(LoadSettings):
    """What the run does."""

    rate: Annotated[float, Option("Connections opened a second, once the ramp is over.", min=0.01, max=MOST_PER_S)] = (
        100.0
    )
    connections: Annotated[
        int, Option("Connections open at the same time; beyond it the oldest one leaves first.", min=1, max=MOST_PEOPLE)
    ] = 1_000


class ConnectScenario(Scenario[ConnectSettings]):
    """Connections are opened at a rate, each with its Hello; when as many are open as wanted, the oldest one leaves.

    Reports connections a second, and the latency from the moment one was due to the answer of its Hello: the TCP and
    WebSocket handshakes, the check of the token, the session and its route.
    """

    name: ClassVar[str] = "connect"
    settings_type = ConnectSettings
    steps: ClassVar[tuple[Step, ...]] = (Step("drive", "connecting", drives=True),)
    latencies: ClassVar[tuple[str, ...]] = ("connect",)
    any_adapter: ClassVar[bool] = True

    def __init__(self, crew: Crew, settings: ConnectSettings) -> None:
        super().__init__(crew, settings)
        self._turn = itertools.cycle(crew.people)
        self._most = -(-settings.connections // crew.part.count)
        self._open: deque[Seat] = deque()

    @classmethod
    def people(cls, settings: ConnectSettings) -> People:
        """Each with several instances of a device."""
        return People(people_for(settings.connections, instances=INSTANCES), Kind.GUEST)

    async def drive(self, _told: Told) -> None:
        """Open connections until the window ends, and wait for those under way."""
        crew, settings = self.crew, self.settings
        arrivals = schedule(settings.arrivals, settings.rate, ramp_s=settings.ramp, seed=settings.seed, part=crew.part)
        async with asyncio.TaskGroup() as tasks:

            def arrive(due: float) -> None:
                crew.tally.offered += 1
                tasks.create_task(self._arrive(due))

            await crew.drive(Pacer(arrivals, crew.window, emit=arrive, slip=crew.tally.slip).run())

    async def _arrive(self, due: float) -> None:
        if len(self._open) >= self._most:
            await self.crew.leave(self._open.popleft())
        try:
            seat = await self.crew.connect(next(self._turn), intended=due)
        except AdapterError as error:
            self.crew.tally.counts[FAILED + error.reason] += 1
            return
        self.crew.tally.acked += 1
        self._open.append(seat)

    @classmethod
    def conclude(cls, settings: ConnectSettings, record: Record, result: Result) -> None:  # noqa: ARG003 - the promise's
        """Connections that could not be opened are told."""
        result.delivered_per_s = None  # nothing is sent
        if failed := sum(count for name, count in record.counts.items() if name.startswith(FAILED)):
            result.note(f"{failed:,} connections could not be opened")
        if not result.latency_ms.get("connect"):
            result.worsen(Verdict.INVALID, "no connection was opened within the measured window")
