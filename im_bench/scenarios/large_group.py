"""The scenario `large-group`."""

from typing import ClassVar

from im_bench.adapters.abstract import Joined
from im_bench.adapters.im import rooms
from im_bench.load.crew import Seat
from im_bench.scenarios.abstract import People
from im_bench.scenarios.one_room import OneRoomScenario, OneRoomSettings


class LargeGroupScenario(OneRoomScenario[OneRoomSettings]):
    """One large group, all members online with the group on their screens; some of them write.

    Reports the deliveries a second (members minus one for each message), how many of them a second of the gateway's
    processor bought, the latency to the ack and to each member, and what was lost, doubled or out of order.
    """

    name: ClassVar[str] = "large-group"
    settings_type = OneRoomSettings

    @classmethod
    def people(cls, settings: OneRoomSettings) -> People:
        """The members."""
        return People(settings.members)

    async def room(self, seat: Seat, user_ids: list[int]) -> Joined:
        """A fresh group of everybody."""
        return await rooms.make_group(seat.client, user_ids)
