"""The scenario `offline`."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, cast

from im_bench.adapters.abstract import AdapterError, Client, Mailbox
from im_bench.adapters.im import rooms
from im_bench.adapters.im.adapter import ImAdapter
from im_bench.adapters.im.connection import Connection
from im_bench.load.crew import Crew, Person, Seat
from im_bench.load.pacer import Pacer
from im_bench.load.schedule import schedule
from im_bench.report.record import Record
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.scenarios.abstract import People, Scenario, Step, Told
from im_bench.scenarios.option import MOST_PER_S, LoadSettings, Option
from im_bench.scenarios.write import write
from im_proto.v1.conversation_pb2 import Head
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import PullRequest
from im_proto.v1.session_pb2 import HelloRequest
from im_proto.v1.sync_pb2 import Since, SyncRequest

HEADS: Final = 200
"""Heads a page."""
PAGE: Final = 200
MAKING_AT_ONCE: Final = 8
OVERLAP_MS: Final = 60_000
"""A sync looks so much further back than the device's last one, for transactions that were under way then. The server's
figure, which the protocol does not tell; a test compares them."""
FAILED: Final = "not back: "
SHORT: Final = "catch-ups that lacked messages"


@dataclass(frozen=True, kw_only=True)
class OfflineSettings(LoadSettings):
    """What the run does."""

    rate: Annotated[
        float, Option("People who come back a second, once the ramp is over.", min=0.01, max=MOST_PER_S)
    ] = 10.0
    users: Annotated[int, Option("People who were away, in turn.", min=1, max=490)] = 50
    conversations: Annotated[int, Option("Conversations that each of them is in.", min=1, max=10_000)] = 200
    changed: Annotated[float, Option("The share of them in which something was written meanwhile.", min=0, max=1)] = 0.1
    messages: Annotated[int, Option("Messages written in each of those.", min=1, max=PAGE)] = 5
    size: Annotated[int, Option("Bytes of each message's text.", min=1, max=8_000)] = 100

    @property
    def moved(self) -> int:
        """Conversations in which something is written."""
        return round(self.conversations * self.changed)


@dataclass(slots=True)
class Kept:
    """What a device keeps of its last sync."""

    pts: int = 0
    since: Since = field(default_factory=Since)
    seqs: dict[int, int] = field(default_factory=dict)
    """By conversation, how far it has the log."""


class OfflineScenario(Scenario[OfflineSettings]):
    """People who were away come back at a rate: Hello with a sync, then a pull of everything that was written meanwhile.

    Reports returns a second; the latency from the moment one was due to the sync's answer (`sync`) and to the last
    message pulled (`caught_up`); and catch-ups that lacked a message.
    """

    name: ClassVar[str] = "offline"
    settings_type = OfflineSettings
    steps: ClassVar[tuple[Step, ...]] = (
        Step("gather", "making the conversations"),
        Step("leave", "first syncs, then away"),
        Step("fill", "writing what they miss"),
        Step("drive", "coming back", drives=True),
    )
    latencies: ClassVar[tuple[str, ...]] = ("sync", "caught_up", "connect")
    figures: ClassVar[tuple[str, ...]] = ("conversations", "moved")

    def __init__(self, crew: Crew, settings: OfflineSettings) -> None:
        super().__init__(crew, settings)
        self._kept: dict[int, Kept] = {}
        self._conversations: list[int] = []
        self._away = itertools.cycle(crew.people[1:])

    @classmethod
    def people(cls, settings: OfflineSettings) -> People:
        """One who writes, and those who are away; all in one process, since they share their conversations."""
        return People(settings.users + 1, together=settings.users + 1)

    async def gather(self, _told: Told) -> None:
        """Make the conversations, everybody in each."""
        writer = await self.crew.connect(self.crew.people[0])
        user_ids = [person.account.user_id for person in self.crew.people]

        async def one(_number: int) -> None:
            self._conversations.append((await rooms.make_group(writer.client, user_ids)).conversation_id)

        await self.crew.each(range(self.settings.conversations), one, at_once=MAKING_AT_ONCE)

    async def leave(self, _told: Told) -> None:
        """Everybody syncs once, and leaves."""

        async def one(person: Person) -> None:
            kept = self._kept[person.index] = Kept()
            seat, heads = await self._sync(person, kept)
            kept.seqs = {head.conversation.conversation_id: head.max_seq for head in heads}
            await self.crew.leave(seat)

        await self.crew.each(self.crew.people[1:], one, at_once=MAKING_AT_ONCE)

    async def fill(self, _told: Told) -> None:
        """Write what they miss."""
        (writer,), text = self.crew.seats, "x" * self.settings.size

        async def one(conversation_id: int) -> None:
            for _ in range(self.settings.messages):
                await write(writer.client, conversation_id, text)

        chosen = self.crew.random.sample(self._conversations, min(self.settings.moved, len(self._conversations)))
        await self.crew.each(chosen, one)

    async def drive(self, _told: Told) -> None:
        """Let people come back until the window ends, and wait for those under way."""
        crew, settings = self.crew, self.settings
        arrivals = schedule(settings.arrivals, settings.rate, ramp_s=settings.ramp, seed=settings.seed, part=crew.part)
        async with asyncio.TaskGroup() as tasks:

            def arrive(due: float) -> None:
                crew.tally.offered += 1
                tasks.create_task(self._come_back(next(self._away), due))

            await crew.drive(Pacer(arrivals, crew.window, emit=arrive, slip=crew.tally.slip).run())

    async def _come_back(self, person: Person, due: float) -> None:
        tally, window = self.crew.tally, self.crew.window
        kept = self._kept.get(person.index, Kept())
        try:
            seat, heads = await self._sync(person, kept, due=due)
        except AdapterError as error:
            tally.counts[FAILED + error.reason] += 1
            return
        try:
            pulled = await asyncio.gather(*(self._pull(seat, head, kept) for head in heads))
        except AdapterError as error:
            tally.counts[FAILED + error.reason] += 1
        else:
            tally.acked += 1
            if due in window:
                tally.others["caught_up"].record(time.monotonic() - due)
            if sum(pulled) != self.settings.moved * self.settings.messages:
                tally.counts[SHORT] += 1
        await self.crew.leave(seat)

    async def _sync(self, person: Person, kept: Kept, *, due: float | None = None) -> tuple[Seat, list[Head]]:
        """Connect with a sync in the Hello, and take its further pages; what a first sync tells is kept."""
        request = SyncRequest(pts=kept.pts, since=kept.since, page_size=HEADS)

        async def opening(account: object, mailbox: Mailbox, source_address: str | None) -> Client:  # noqa: ARG001 - the person's
            hello = HelloRequest(
                access_token=person.account.access_token, device_id=person.account.device_id, sync=request
            )
            adapter = cast("ImAdapter", self.crew.adapter)
            return await adapter.open(hello, mailbox, source_address=source_address, receipts=False)

        seat = await self.crew.connect(person, intended=due, opening=opening)
        try:
            return seat, await self._heads(cast("Connection", seat.client), request, kept, due=due)
        except AdapterError:
            await self.crew.leave(seat)
            raise

    async def _heads(
        self, connection: Connection, request: SyncRequest, kept: Kept, *, due: float | None
    ) -> list[Head]:
        """What the Hello's sync and its further pages told."""
        sync = connection.hello.sync
        if due is not None and due in self.crew.window:
            self.crew.tally.others["sync"].record(time.monotonic() - due)
        heads, pts = list(sync.heads), sync.pts
        while sync.next_page_token:
            request.page_token = sync.next_page_token
            sync = (await connection.call(ClientFrame(sync=request))).sync
            heads += sync.heads
        if due is None:
            kept.pts, kept.since = pts, sync.since
            # Everything was made within this run, so within the overlap, and would be told as moved: by a device that
            # synced an overlap later only what is written from now on is.
            kept.since.time += OVERLAP_MS
        return heads

    async def _pull(self, seat: Seat, head: Head, kept: Kept) -> int:
        """Pull what is new in a conversation; how many messages it was."""
        conversation_id = head.conversation.conversation_id
        first = kept.seqs.get(conversation_id, 0) + 1
        if first > head.max_seq or conversation_id not in kept.seqs:
            return 0
        pulled, more = 0, True
        while more:  # a page ends early where its bytes would be too many
            pull = PullRequest(conversation_id=conversation_id, from_seq=first, to_seq=head.max_seq, limit=PAGE)
            page = (await cast("Connection", seat.client).call(ClientFrame(pull=pull))).pull
            pulled += len(page.messages)
            more = page.more and bool(page.messages)
            first = page.messages[-1].seq + 1 if more else first
        return pulled

    @classmethod
    def conclude(cls, settings: OfflineSettings, record: Record, result: Result) -> None:
        """A catch-up that lacks a message is a loss."""
        result.delivered_per_s = None  # nothing is sent while it is measured
        result.measured |= {"conversations": float(settings.conversations), "moved": float(settings.moved)}
        if short := record.counts.get(SHORT, 0):
            result.worsen(Verdict.INCORRECT, f"{short:,} catch-ups lacked messages, or had too many")
        if failed := sum(count for name, count in record.counts.items() if name.startswith(FAILED)):
            result.note(f"{failed:,} did not come back")
        if not result.latency_ms.get("caught_up"):
            result.worsen(Verdict.INVALID, "nobody came back within the measured window")
