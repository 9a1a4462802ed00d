"""The scenario `groups`."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from im_bench.adapters.im import rooms
from im_bench.load.crew import Person
from im_bench.load.sender import Sender
from im_bench.scenarios.abstract import People, Told
from im_bench.scenarios.option import MOST_PER_S, Option, TalkSettings
from im_bench.scenarios.talk import TalkScenario


@dataclass(frozen=True, kw_only=True)
class GroupsSettings(TalkSettings):
    """What the run does."""

    rate: Annotated[
        float, Option("What all together offer a second, once the ramp is over.", min=0.01, max=MOST_PER_S)
    ] = 200.0
    groups: Annotated[int, Option("Groups that talk.", min=1, max=10_000)] = 50
    members: Annotated[int, Option("Members of each, everybody in one group only.", min=2, max=500)] = 10


class GroupsScenario(TalkScenario[GroupsSettings]):
    """Many small groups talk, each member in turn; every message goes to all other members.

    Reports what was offered and acked a second, the deliveries (members minus one for each message), the latency to the
    ack and to each member, and what was lost, doubled or out of order.
    """

    name: ClassVar[str] = "groups"
    settings_type = GroupsSettings
    _turn: "itertools.cycle[Sender]"

    @classmethod
    def people(cls, settings: GroupsSettings) -> People:
        """A group's members are in one process."""
        return People(settings.groups * settings.members, together=settings.members)

    async def connect(self, _told: Told) -> None:
        """Connect everybody and make the groups."""
        people, size = self.crew.people, self.settings.members
        groups = [people[start : start + size] for start in range(0, len(people), size)]
        await self.crew.each(groups, self._group, at_once=4)
        self._turn = itertools.cycle(self.shuffled())

    async def _group(self, members: Sequence[Person]) -> None:
        seats = [await self.crew.connect(person) for person in members]
        joined = await rooms.make_group(seats[0].client, [person.account.user_id for person in members])
        for seat in seats:
            self.add(seat, joined)

    def arrive(self, due: float) -> None:
        """The next member's turn."""
        next(self._turn).offer(due)
