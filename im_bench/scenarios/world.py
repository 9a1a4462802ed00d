"""The scenario `world`."""

from typing import ClassVar

from im_bench.adapters.abstract import Joined
from im_bench.adapters.im import rooms
from im_bench.load.crew import Seat
from im_bench.scenarios.one_room import OneRoomScenario, OneRoomSettings


class WorldScenario(OneRoomScenario[OneRoomSettings]):
    """The world room, with everybody looking at it; some write, without slow mode where the cluster is our own.

    Reports what `large-group` does: deliveries a second, and how many of them a second of the gateway's processor
    bought; latencies; and what was lost, doubled or out of order.
    """

    name: ClassVar[str] = "world"
    settings_type = OneRoomSettings

    async def room(self, seat: Seat, user_ids: list[int]) -> Joined:  # noqa: ARG002 - everybody is in it
        """The one that is there."""
        return await rooms.find_room(seat.client, rooms.world_of(seat.client))
