"""The scenario `private`."""

import itertools
from dataclasses import dataclass
from typing import Annotated, ClassVar

from im_bench.load.crew import Person
from im_bench.load.sender import Sender
from im_bench.scenarios.abstract import People, Told
from im_bench.scenarios.option import Option, TalkSettings
from im_bench.scenarios.talk import TalkScenario


@dataclass(frozen=True, kw_only=True)
class PrivateSettings(TalkSettings):
    """What the run does."""

    pairs: Annotated[int, Option("Pairs of users that talk.", min=1, max=100_000)] = 500


class PrivateScenario(TalkScenario[PrivateSettings]):
    """Pairs talk in both directions, one unacked message per sender, receipts on.

    Reports what was offered, acked and delivered a second; the latency from the intended moment to the ack and to the
    other device; and what was lost, doubled or out of order.
    """

    name: ClassVar[str] = "private"
    settings_type = PrivateSettings
    any_adapter: ClassVar[bool] = True
    _turn: "itertools.cycle[Sender]"

    @classmethod
    def people(cls, settings: PrivateSettings) -> People:
        """Two per pair, both in one process."""
        return People(2 * settings.pairs, together=2)

    async def connect(self, _told: Told) -> None:
        """Open both sides of every pair and their conversation."""
        people = self.crew.people
        await self.crew.each(list(zip(people[::2], people[1::2], strict=True)), self._pair)
        self._turn = itertools.cycle(self.shuffled())

    async def _pair(self, pair: tuple[Person, Person]) -> None:
        left, right = [await self.crew.connect(person) for person in pair]
        joined = await self.crew.adapter.join([person.account for person in pair], left.client)
        for seat in (left, right):
            self.add(seat, joined)

    def arrive(self, due: float) -> None:
        """The next sender's turn."""
        next(self._turn).offer(due)
