"""The scenario `login`."""

import asyncio
import itertools
import time
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import httpx

from im_bench.load.crew import Crew
from im_bench.load.pacer import Pacer
from im_bench.load.schedule import schedule
from im_bench.report.record import Record
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.scenarios.abstract import People, Scenario, Step, Told
from im_bench.scenarios.option import MOST_PEOPLE, MOST_PER_S, LoadSettings, Option

TIMEOUT_S: Final = 30.0
FAILED: Final = "not logged in: "


@dataclass(frozen=True, kw_only=True)
class LoginSettings(LoadSettings):
    """What the run does."""

    rate: Annotated[float, Option("Logins a second, once the ramp is over.", min=0.01, max=MOST_PER_S)] = 10.0
    users: Annotated[int, Option("Accounts that log in, in turn.", min=1, max=MOST_PEOPLE)] = 200


class LoginScenario(Scenario[LoginSettings]):
    """People log in with their passwords over HTTP, each time from the same device.

    Reports logins a second and the latency from the moment one was due to its tokens. Each is a deliberately slow
    password hash: the processor's, not the network's, is the figure to plan with.
    """

    name: ClassVar[str] = "login"
    settings_type = LoginSettings
    steps: ClassVar[tuple[Step, ...]] = (Step("drive", "logging in", drives=True),)
    latencies: ClassVar[tuple[str, ...]] = ("login",)

    def __init__(self, crew: Crew, settings: LoginSettings) -> None:
        super().__init__(crew, settings)
        self._turn = itertools.cycle(crew.people)

    @classmethod
    def people(cls, settings: LoginSettings) -> People:
        """They have passwords."""
        return People(settings.users)

    async def drive(self, _told: Told) -> None:
        """Log in until the window ends, and wait for those under way."""
        crew, settings = self.crew, self.settings
        arrivals = schedule(settings.arrivals, settings.rate, ramp_s=settings.ramp, seed=settings.seed, part=crew.part)
        endpoint = crew.adapter.endpoint
        verify = endpoint.tls() or True
        async with (
            httpx.AsyncClient(base_url=endpoint.url, timeout=TIMEOUT_S, verify=verify, trust_env=False) as client,
            asyncio.TaskGroup() as tasks,
        ):

            def arrive(due: float) -> None:
                crew.tally.offered += 1
                tasks.create_task(self._log_in(client, due))

            await crew.drive(Pacer(arrivals, crew.window, emit=arrive, slip=crew.tally.slip).run())

    async def _log_in(self, client: httpx.AsyncClient, due: float) -> None:
        account = next(self._turn).account
        installation = {"device_id": account.device_id, "device_class": "DEVICE_CLASS_BOT", "device_name": "im bench"}
        body = {"handle": account.handle, "password": account.password, "installation": installation}
        try:
            response = await client.post("/api/v1/login", json=body)
        except httpx.HTTPError as error:
            self.crew.tally.counts[f"{FAILED}{type(error).__name__}"] += 1
            return
        if not response.is_success:
            self.crew.tally.counts[f"{FAILED}{response.status_code}"] += 1
            return
        self.crew.tally.acked += 1
        if due in self.crew.window:
            self.crew.tally.others["login"].record(time.monotonic() - due)

    @classmethod
    def conclude(cls, settings: LoginSettings, record: Record, result: Result) -> None:  # noqa: ARG003 - the promise's
        """Logins that failed are told."""
        result.delivered_per_s = None  # nothing is sent
        if failed := sum(count for name, count in record.counts.items() if name.startswith(FAILED)):
            result.note(f"{failed:,} logins failed")
        if not result.latency_ms.get("login"):
            result.worsen(Verdict.INVALID, "nobody logged in within the measured window")
