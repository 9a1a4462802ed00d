"""The scenario `large-group`."""

from typing import ClassVar, Final

from im_bench.adapters.abstract import Joined
from im_bench.adapters.im import rooms
from im_bench.load.crew import Seat
from im_bench.scenarios.abstract import People, Step, Told
from im_bench.scenarios.one_room import INTRODUCE, OPEN, OneRoomScenario, OneRoomSettings
from im_bench.scenarios.talk import COLLECT, CONNECT, DRIVE, SETTLE, VERIFY

CALM: Final = Step("calm", "waiting until the new group's messages go one way only")
LARGE_ABOVE: Final = 500
"""Members; the servers' default of `repo.fanout.large_above`."""
BOTH_WAYS_S: Final = 31.0
"""The servers' default of `repo.fanout.both_ways_s`, and a bit."""


class LargeGroupScenario(OneRoomScenario[OneRoomSettings]):
    """One large group, all members online with the group on their screens; some of them write.

    Reports the deliveries a second (members minus one for each message), how many of them a second of the gateway's
    processor bought, the latency to the ack and to each member, and what was lost, doubled or out of order. A group
    of more than 500 rests for half a minute first: so long the servers push to one that has just grown large both ways.
    """

    name: ClassVar[str] = "large-group"
    settings_type = OneRoomSettings
    steps: ClassVar[tuple[Step, ...]] = (INTRODUCE, OPEN, CONNECT, CALM, DRIVE, SETTLE, COLLECT, VERIFY)

    @classmethod
    def people(cls, settings: OneRoomSettings) -> People:
        """The members."""
        return People(settings.members)

    async def room(self, seat: Seat, user_ids: list[int]) -> Joined:
        """A fresh group of everybody."""
        return await rooms.make_group(seat.client, user_ids)

    async def calm(self, _told: Told) -> None:
        """Let the switch pass: during it every message comes twice, and costs twice."""
        if self.settings.members > LARGE_ABOVE:
            await self.crew.rest(BOTH_WAYS_S)
