"""What `large-group` and `world` have in common: everybody is in one conversation and looks at it, some write."""

import itertools
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, TypeVar

from im_bench.adapters.abstract import Joined
from im_bench.adapters.im import rooms
from im_bench.load.crew import Seat
from im_bench.load.sender import Sender
from im_bench.report.record import Record
from im_bench.report.result import Result
from im_bench.scenarios.abstract import People, Step, Told
from im_bench.scenarios.option import MOST_PER_S, Option, TalkSettings
from im_bench.scenarios.talk import COLLECT, CONNECT, DRIVE, SETTLE, VERIFY, TalkScenario

INTRODUCE: Final = Step("introduce", "finding out who is there")
OPEN: Final = Step("open", "opening the conversation")


@dataclass(frozen=True, kw_only=True)
class OneRoomSettings(TalkSettings):
    """What the run does."""

    rate: Annotated[
        float, Option("What all together offer a second, once the ramp is over.", min=0.01, max=MOST_PER_S)
    ] = 10.0
    members: Annotated[int, Option("People who look at the conversation.", min=2, max=10_000)] = 1_000
    senders: Annotated[int, Option("Those of them who write, in turn.", min=1)] = 20


S = TypeVar("S", bound=OneRoomSettings)


class OneRoomScenario(TalkScenario[S]):
    """One conversation over all processes."""

    steps: ClassVar[tuple[Step, ...]] = (INTRODUCE, OPEN, CONNECT, DRIVE, SETTLE, COLLECT, VERIFY)
    figures: ClassVar[tuple[str, ...]] = ("deliveries_per_gateway_cpu_s",)
    _turn: "itertools.cycle[Sender]"
    _first: Seat | None = None

    @classmethod
    def problem(cls, settings: S) -> str | None:
        """Who writes is a member, and there."""
        return None if settings.senders <= settings.members else "--senders must not exceed --members"

    @classmethod
    def people(cls, settings: S) -> People:
        """The members, registered since guests write slowly; every process has one who writes."""
        return People(settings.members, most_workers=settings.senders)

    @classmethod
    def online(cls, settings: S) -> int:
        """How many of them are connected."""
        return settings.members

    @abstractmethod
    async def room(self, seat: Seat, user_ids: list[int]) -> Joined:
        """Find or make it, as one of its members; the first process does."""

    async def introduce(self, _told: Told) -> list[int]:
        """Every process says who its people are."""
        return [person.account.user_id for person in self.crew.people]

    async def open(self, told: Told) -> Joined | None:
        """The first process has the conversation; the others are told."""
        if self.crew.part.index != 0:
            return None
        self._first = await self.crew.connect(self.crew.people[0])
        return await self.room(self._first, list(itertools.chain.from_iterable(told)))

    async def connect(self, told: Told) -> None:
        """Connect this process's people, and put the conversation on every screen."""
        joined: Joined = told[0]
        people = self.crew.people[: self.crew.part.share(self.online(self.settings))]
        writers = self.crew.part.share(self.settings.senders)
        first = self._first
        if first is None:
            first = await self.crew.connect(people[0])
            await rooms.find_room(first.client, joined.conversation_id)

        async def one(position: int) -> None:
            seat = first if position == 0 else await self.crew.connect(people[position])
            # Added before it is on the screen: whatever is pushed from then on counts.
            self.add(seat, joined, sends=position < writers)
            await rooms.put_on_screen(seat.client, joined.conversation_id)

        await self.crew.each(range(len(people)), one)
        self._turn = itertools.cycle(self.shuffled())

    def arrive(self, due: float) -> None:
        """The next writer's turn."""
        next(self._turn).offer(due)

    @classmethod
    def conclude(cls, settings: S, record: Record, result: Result) -> None:
        """How many deliveries a second of the gateway's processor bought."""
        super().conclude(settings, record, result)
        gateways = [usage for name, usage in (result.resources or {}).items() if "gateway" in name]
        cpu_s = sum(usage["cpu_s"] for usage in gateways)
        if cpu_s and result.delivered_per_s:
            result.measured["deliveries_per_gateway_cpu_s"] = round(result.delivered_per_s * settings.duration / cpu_s)
