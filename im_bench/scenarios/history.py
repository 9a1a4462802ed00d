"""The scenario `history`."""

import asyncio
import itertools
import time
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, cast

from im_bench.adapters.abstract import AdapterError, Joined
from im_bench.adapters.im import rooms
from im_bench.adapters.im.connection import Connection
from im_bench.load.crew import Crew, Seat
from im_bench.load.pacer import Pacer
from im_bench.load.schedule import schedule
from im_bench.report.record import Record
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.scenarios.abstract import People, Scenario, Step, Told
from im_bench.scenarios.option import MOST_PER_S, LoadSettings, Option
from im_bench.scenarios.write import write
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import PullRequest, PullResponse

PAGE: Final = 100
FILL_S: Final = 300.0
MOST_MESSAGES: Final = 1_000_000
SHORT: Final = "pages that lacked entries"
REFUSED: Final = "page refused "


@dataclass(frozen=True, kw_only=True)
class HistorySettings(LoadSettings):
    """What the run does."""

    rate: Annotated[float, Option("Pages read a second, once the ramp is over.", min=0.01, max=MOST_PER_S)] = 100.0
    readers: Annotated[int, Option("Members of the group who read.", min=2, max=500)] = 50
    messages: Annotated[int, Option("Messages written before reading begins.", min=PAGE, max=MOST_MESSAGES)] = 2_000
    size: Annotated[int, Option("Bytes of each message's text.", min=1, max=8_000)] = 100


class HistoryScenario(Scenario[HistorySettings]):
    """Members of a group scroll back: each arrival reads a page of 100 entries at a random place of the log.

    Reports pages a second, the latency from the moment one was due to its answer, and pages that came incomplete.
    """

    name: ClassVar[str] = "history"
    settings_type = HistorySettings
    steps: ClassVar[tuple[Step, ...]] = (
        Step("gather", "connecting"),
        Step("fill", "writing the history"),
        Step("drive", "reading", drives=True),
    )
    latencies: ClassVar[tuple[str, ...]] = ("page", "connect")

    def __init__(self, crew: Crew, settings: HistorySettings) -> None:
        super().__init__(crew, settings)
        self._joined: Joined | None = None
        self._answered = 0

    @classmethod
    def people(cls, settings: HistorySettings) -> People:
        """The readers, all in one process, since they share a group that it makes."""
        return People(settings.readers, together=settings.readers)

    async def gather(self, _told: Told) -> None:
        """Connect everybody and make the group."""
        await self.crew.each(self.crew.people, self.crew.connect)
        if not self.crew.seats:
            return  # stopped before it began
        user_ids = [person.account.user_id for person in self.crew.people]
        self._joined = await rooms.make_group(self.crew.seats[0].client, user_ids)

    async def fill(self, _told: Told) -> None:
        """Everybody writes their share, each one message at a time."""
        if self._joined is None:
            return  # stopped before it began
        left = itertools.count()
        try:
            async with asyncio.timeout(FILL_S):
                await asyncio.gather(
                    *(self._write(seat, self._joined.conversation_id, left) for seat in self.crew.seats)
                )
        except TimeoutError:
            told = f"{self.settings.messages:,} messages were not written in {FILL_S:.0f} s"
            raise AdapterError(told, reason="not filled") from None

    async def _write(self, seat: Seat, conversation_id: int, left: "itertools.count[int]") -> None:
        text = "x" * self.settings.size
        while next(left) < self.settings.messages and not self.crew.stopped:
            await write(seat.client, conversation_id, text)

    async def drive(self, _told: Told) -> None:
        """Read pages until the window ends."""
        crew, settings = self.crew, self.settings
        arrivals = schedule(settings.arrivals, settings.rate, ramp_s=settings.ramp, seed=settings.seed, part=crew.part)
        turn = itertools.cycle(crew.seats)
        await crew.drive(
            Pacer(arrivals, crew.window, emit=lambda due: self._read(next(turn), due), slip=crew.tally.slip).run()
        )
        await crew.wait_for(lambda: self._answered >= crew.tally.offered, within_s=10)

    def _read(self, seat: Seat, due: float) -> None:
        assert self._joined is not None, "gather makes it"
        tally = self.crew.tally
        tally.offered += 1
        first = self.crew.random.randint(1, self.settings.messages - PAGE + 1)
        pull = PullRequest(conversation_id=self._joined.conversation_id, from_seq=first, limit=PAGE)

        def on_answer(answer: ServerFrame) -> None:
            self._answered += 1
            if answer.HasField("error"):
                tally.counts[REFUSED + answer.error.name] += 1
                return
            tally.acked += 1
            if not _whole(answer.pull, first):
                tally.counts[SHORT] += 1
            if due in self.crew.window:
                tally.others["page"].record(time.monotonic() - due)

        cast("Connection", seat.client).request(ClientFrame(pull=pull), on_answer)

    @classmethod
    def conclude(cls, settings: HistorySettings, record: Record, result: Result) -> None:  # noqa: ARG003 - the promise's
        """A page that lacks an entry is a loss."""
        result.delivered_per_s = None  # nothing is sent while it is measured
        if short := record.counts.get(SHORT, 0):
            result.worsen(Verdict.INCORRECT, f"{short:,} pages lacked entries of the log")
        if refused := sum(count for name, count in record.counts.items() if name.startswith(REFUSED)):
            result.note(f"{refused:,} pages were refused")
        if not result.latency_ms.get("page"):
            result.worsen(Verdict.INVALID, "no page was read within the measured window")


def _whole(page: PullResponse, first: int) -> bool:
    """Whether a page from `first` on lacks nothing; the server may end it early, by its bytes, and says so."""
    seqs = [message.seq for message in page.messages]
    return seqs == list(range(first, first + len(seqs))) and (len(seqs) == PAGE or (bool(seqs) and page.more))
