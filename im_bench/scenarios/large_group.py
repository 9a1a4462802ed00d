"""The scenario `large-group`."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from im_bench.adapters.abstract import Joined
from im_bench.adapters.im import rooms
from im_bench.load.crew import Seat
from im_bench.scenarios.abstract import Step, Told
from im_bench.scenarios.one_room import INTRODUCE, OPEN, OneRoomScenario, OneRoomSettings
from im_bench.scenarios.option import MOST_S, Option
from im_bench.scenarios.talk import COLLECT, CONNECT, DRIVE, SETTLE, VERIFY

CALM: Final = Step("calm", "waiting until the new group's messages go one way only")
LARGE_ABOVE: Final = 500
"""Members; the servers' default of `repo.fanout.large_above`."""


@dataclass(frozen=True, kw_only=True)
class LargeGroupSettings(OneRoomSettings):
    """What the run does."""

    online: Annotated[
        int, Option("Members who are connected, the others are away; 0: all. Who writes is connected.", min=0)
    ] = 0
    rest: Annotated[
        float,
        Option(
            "Seconds that a new group of more than 500 rests first: for 30 s after it became large "
            "(repo.fanout.both_ways_s) every message comes twice, and costs twice.",
            min=0,
            max=MOST_S,
            is_duration=True,
        ),
    ] = 31.0


class LargeGroupScenario(OneRoomScenario[LargeGroupSettings]):
    """One large group, its members online with the group on their screens; some of them write.

    Reports the deliveries a second (members online minus one for each message), how many of them a second of the
    gateway's processor bought, the latency to the ack and to each member, and what was lost, doubled or out of order.
    """

    name: ClassVar[str] = "large-group"
    settings_type = LargeGroupSettings
    steps: ClassVar[tuple[Step, ...]] = (INTRODUCE, OPEN, CONNECT, CALM, DRIVE, SETTLE, COLLECT, VERIFY)

    @classmethod
    def problem(cls, settings: LargeGroupSettings) -> str | None:
        """Nobody is online who is no member, and who writes is online."""
        if not settings.senders <= cls.online(settings) <= settings.members:
            return "--senders must not exceed --online, nor --online exceed --members"
        return super().problem(settings)

    @classmethod
    def online(cls, settings: LargeGroupSettings) -> int:
        """Those of `--online`."""
        return settings.online or settings.members

    async def room(self, seat: Seat, user_ids: list[int]) -> Joined:
        """A fresh group of everybody."""
        return await rooms.make_group(seat.client, user_ids)

    async def calm(self, _told: Told) -> None:
        """Let the switch pass: during it every message comes twice, and costs twice."""
        if self.settings.members > LARGE_ABOVE:
            await self.crew.rest(self.settings.rest)
