"""The scenario `slow-reader`."""

import time
from dataclasses import dataclass
from typing import Annotated, ClassVar, cast

from im_bench.adapters.abstract import Joined
from im_bench.adapters.im import rooms
from im_bench.adapters.im.connection import Connection
from im_bench.ledger.ranges import Ranges
from im_bench.load.crew import Seat
from im_bench.report.record import Record
from im_bench.report.result import Result
from im_bench.scenarios.abstract import Told
from im_bench.scenarios.one_room import OneRoomScenario, OneRoomSettings
from im_bench.scenarios.option import MOST_PER_S, Option
from im_bench.scenarios.talk import Acked


@dataclass(frozen=True, kw_only=True)
class SlowReaderSettings(OneRoomSettings):
    """What the run does."""

    rate: Annotated[
        float, Option("What all together offer a second, once the ramp is over.", min=0.01, max=MOST_PER_S)
    ] = 100.0
    members: Annotated[int, Option("Members of the group.", min=3, max=500)] = 50
    senders: Annotated[int, Option("Those of them who write, in turn.", min=1)] = 10
    slow: Annotated[int, Option("Those of them who stop reading while the load lasts; they do not write.", min=1)] = 10
    size: Annotated[int, Option("Bytes of text added to each message.", min=0, max=8_000)] = 4_000


class SlowReaderScenario(OneRoomScenario[SlowReaderSettings]):
    """A group in which some members stop reading their sockets while the others talk, and read again at the end.

    Reports the latency to the ack and to those who read (`delivery`), which the slow ones must not lengthen; how many
    messages the server spared the slow ones, how many of their connections it closed, how much memory its processes
    grew by; and that whatever was not pushed to them is in the history.
    """

    name: ClassVar[str] = "slow-reader"
    settings_type = SlowReaderSettings
    latencies: ClassVar[tuple[str, ...]] = (*OneRoomScenario.latencies, "slow_delivery")
    figures: ClassVar[tuple[str, ...]] = (*OneRoomScenario.figures, "slow_spared", "slow_closed", "*_grown_mib")
    _last_delivered = -1
    _last_change = 0.0

    @classmethod
    def problem(cls, settings: SlowReaderSettings) -> str | None:
        """Somebody reads."""
        enough = settings.senders + settings.slow < settings.members
        return None if enough else "--senders and --slow together must be less than --members"

    async def room(self, seat: Seat, user_ids: list[int]) -> Joined:
        """A fresh group of everybody."""
        return await rooms.make_group(seat.client, user_ids)

    async def connect(self, told: Told) -> None:
        """As in any one conversation; the last ones of this process will be slow."""
        await super().connect(told)
        part, members = self.crew.part, self.settings.members
        count = part.share(members) - part.share(members - self.settings.slow)
        self._conversation_id: int = told[0].conversation_id
        seats = sorted(self.readers[self._conversation_id], key=lambda seat: seat.person.index)
        quick = max(0, len(seats) - count)  # fewer than all are there where a stop came while they connected
        self._quick, self._slow = seats[:quick], seats[quick:]
        for seat in self._slow:
            seat.receiver.delivery = self.crew.tally.others["slow_delivery"]

    async def drive(self, told: Told) -> None:
        """The slow ones stop reading, the others talk."""
        for seat in self._slow:
            cast("Connection", seat.client).stop_reading()
        await super().drive(told)

    async def settle(self, told: Told) -> Acked:
        """Only those who read are waited for."""
        self.readers[self._conversation_id] = self._quick
        return await super().settle(told)

    async def collect(self, told: Told) -> dict[str, int]:
        """Wait for those who read; then the slow ones read again. Gives what became of them."""
        await super().collect(told)
        for seat in self._slow:
            cast("Connection", seat.client).go_on_reading()
        await self.crew.wait_for(self._quiet, within_s=self.settings.drain)
        self.readers[self._conversation_id] = [*self._quick, *self._slow]
        acked, spared = self.lanes(self._conversation_id), 0
        for seat in self._slow:
            inbox, empty = seat.receiver.inboxes[self._conversation_id], Ranges()
            for sender, ranges in inbox.owed(acked).items():
                seen = inbox.lanes[sender].numbers if sender in inbox.lanes else empty
                spared += len(seen.lacking(ranges))
        return {"spared": spared, "closed": sum(seat.receiver.closed_with is not None for seat in self._slow)}

    def _quiet(self) -> bool:
        """Nothing more comes to the slow ones: nothing was delivered for a second."""
        now, delivered = time.monotonic(), sum(self._had(seat) for seat in self._slow)
        if delivered != self._last_delivered:
            self._last_delivered, self._last_change = delivered, now
        return now - self._last_change > 1.0

    def _had(self, seat: Seat) -> int:
        return len(seat.receiver.inboxes[self._conversation_id].seqs)

    @classmethod
    def conclude(cls, settings: SlowReaderSettings, record: Record, result: Result) -> None:
        """What became of the slow ones."""
        super().conclude(settings, record, result)
        for key in ("spared", "closed"):
            result.measured[f"slow_{key}"] = float(sum(told[key] for told in record.told("collect")))
        drive = record.step("drive")
        if drive is not None:
            for name in drive.after.keys() & drive.before.keys():
                grown = drive.after[name].rss_mib - drive.before[name].rss_mib
                result.measured[f"{name}_grown_mib"] = round(grown, 1)
        if not result.measured["slow_spared"]:
            result.note(
                "the slow ones were spared nothing: all of it fitted into buffers; offer more, or larger messages"
            )
