"""What all scenarios have in common in which people send messages: drive, settle, collect, verify."""

import random
import time
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeVar

from im_bench.adapters.abstract import AdapterError, Joined
from im_bench.ledger.correctness import Correctness
from im_bench.ledger.ranges import Range
from im_bench.ledger.stored import AckedLanes, StoredLog
from im_bench.load.crew import Crew, Seat
from im_bench.load.pacer import Pacer
from im_bench.load.schedule import schedule
from im_bench.load.sender import Sender, Traffic
from im_bench.load.stamp import read_stamp
from im_bench.report.record import Record
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.scenarios.abstract import Scenario, Step, Told
from im_bench.scenarios.option import TalkSettings

T = TypeVar("T", bound=TalkSettings)
Acked = dict[int, dict[int, list[Range]]]
"""Acked numbers, by conversation and sender."""

CONNECT: Final = Step("connect", "connecting")
DRIVE: Final = Step("drive", "driving", drives=True)
SETTLE: Final = Step("settle", "waiting for the last answers")
COLLECT: Final = Step("collect", "waiting for the last deliveries")
VERIFY: Final = Step("verify", "re-reading the history")
VERIFY_S: Final = 120.0
"""After it no further conversation is re-read; the result says how many were."""
READING_AT_ONCE: Final = 8


@dataclass(slots=True)
class Verified:
    """What one process proved."""

    receivers: Correctness
    """What its receivers saw, or did not."""
    logs: dict[int, Correctness] = field(default_factory=dict)
    """What is wrong with each log that was re-read, by conversation: several processes may read the same one."""
    unread: int = 0
    """Conversations that nobody could read any more."""
    skipped: int = 0
    """Those that there was no time for."""


class TalkScenario(Scenario[T]):
    """People send messages at a rate, and every message is accounted for."""

    steps: ClassVar[tuple[Step, ...]] = (CONNECT, DRIVE, SETTLE, COLLECT, VERIFY)
    latencies: ClassVar[tuple[str, ...]] = ("delivery", "ack", "connect")
    accounts_for: ClassVar[bool] = True

    def __init__(self, crew: Crew, settings: T) -> None:
        super().__init__(crew, settings)
        self._traffic = Traffic(crew.run, "x" * settings.size, crew.window, crew.tally, crew.fail)
        self.senders: list[Sender] = []
        self._joined: dict[int, Joined] = {}
        self.readers: defaultdict[int, list[Seat]] = defaultdict(list)
        """By conversation, this process's connections that everything must reach."""
        self._acked: Acked = {}
        self._backlog = 0

    @abstractmethod
    async def connect(self, told: Told) -> Any:  # noqa: ANN401 - each scenario's own
        """Connect this process's people; `add` those who talk, and where."""

    @abstractmethod
    def arrive(self, due: float) -> None:
        """One arrival of the schedule: offer a message to a sender."""

    def add(self, seat: Seat, joined: Joined, *, sends: bool = True) -> Sender | None:
        """Somebody takes part in a conversation; returns the sender if this one sends."""
        conversation_id = joined.conversation_id
        inbox = seat.receiver.join(seat.person.index, conversation_id, joined.head_seq)
        self._joined[conversation_id] = joined
        self.readers[conversation_id].append(seat)
        if not sends:
            return None
        sender = Sender(self._traffic, seat.client, inbox, conversation_id)
        self.senders.append(sender)
        return sender

    def shuffled(self, some: Sequence[Sender] | None = None) -> list[Sender]:
        """The senders, or some of them, in an order that depends on the seed alone."""
        chosen = self.senders if some is None else some
        senders = sorted(chosen, key=lambda sender: (sender.person, sender.conversation_id))
        random.Random(self.settings.seed).shuffle(senders)  # noqa: S311 - reproducible, no secret
        return senders

    async def drive(self, _told: Told) -> None:
        """Offer messages until the window ends."""
        crew, settings = self.crew, self.settings
        if settings.closed:
            for sender in self.senders:
                sender.endless = True
                sender.offer(time.monotonic())
            await crew.drive(crew.rest(crew.window.end - time.monotonic()))
            return
        arrivals = schedule(settings.arrivals, settings.rate, ramp_s=settings.ramp, seed=settings.seed, part=crew.part)
        await crew.drive(Pacer(arrivals, crew.window, emit=self.arrive, slip=crew.tally.slip).run())

    async def settle(self, _told: Told) -> Acked:
        """Wait for the answers of what is under way; what never left is given up."""
        now = time.monotonic()
        self._backlog = sum(sender.give_up(now) for sender in self.senders)
        answered = self.crew.wait_for(
            lambda: not any(sender.busy for sender in self.senders), within_s=self.settings.drain
        )
        await self.crew.drive(answered)
        self.crew.correctness.unknown += sum(sender.busy for sender in self.senders)
        self.crew.tally.counts["never sent"] += self._backlog
        acked: Acked = {}
        for sender in self.senders:
            acked.setdefault(sender.conversation_id, {})[sender.person] = sender.lane.acked.ranges()
        return acked

    async def collect(self, told: Told) -> Any:  # noqa: ANN401 - each scenario's own
        """Wait until all that was acked anywhere has reached this process's people."""
        for acked in told:
            for conversation_id, lanes in acked.items():
                self._acked.setdefault(conversation_id, {}).update(lanes)
        waiting = [(seat, conversation_id) for conversation_id, seats in self.readers.items() for seat in seats]

        def all_seen() -> bool:
            while waiting:
                seat, conversation_id = waiting[-1]
                if not seat.receiver.inboxes[conversation_id].complete(self.lanes(conversation_id)):
                    return False
                waiting.pop()
            return True

        await self.crew.wait_for(all_seen, within_s=self.settings.drain)

    async def verify(self, _told: Told) -> Verified:
        """Re-read every conversation's history as one of its members, and compare it with what was acked and seen."""
        verified = Verified(self.crew.correctness)
        deadline = time.monotonic() + VERIFY_S

        async def one(conversation_id: int) -> None:
            if time.monotonic() > deadline:
                verified.skipped += 1
            else:
                await self._verify(conversation_id, verified)

        # A stop ends the load, not the proof of what it did.
        await self.crew.each(list(self.readers), one, at_once=READING_AT_ONCE, stoppable=False)
        return verified

    async def _verify(self, conversation_id: int, verified: Verified) -> None:
        lanes, seats = self.lanes(conversation_id), self.readers[conversation_id]
        log = StoredLog()
        if self.crew.adapter.keeps_history:
            stored = await self._read(conversation_id)
            if stored is None:
                verified.unread += 1
                return
            log = stored
            verified.logs[conversation_id] = log.faults(lanes)
        for seat in seats:
            inbox = seat.receiver.inboxes[conversation_id]
            seen = {sender: lane.numbers for sender, lane in inbox.lanes.items()}
            verified.receivers.lost += log.lost(inbox.owed(lanes), seen)

    async def _read(self, conversation_id: int) -> StoredLog | None:
        """A conversation's history; None when none of its members here can read it."""
        for seat in self.readers[conversation_id]:
            log = StoredLog()
            try:
                async for entry in self.crew.adapter.history(seat.client, self._joined[conversation_id]):
                    if (stamp := read_stamp(entry.text, self.crew.run)) is not None:
                        log.read(stamp.sender, stamp.number, entry.seq)
            except AdapterError:
                continue  # this one's connection is gone: another member reads
            return log
        return None

    def lanes(self, conversation_id: int) -> AckedLanes:
        """What was acked in a conversation, over all processes; known from `collect` on."""
        return self._acked.get(conversation_id, {})

    @classmethod
    def conclude(cls, settings: T, record: Record, result: Result) -> None:
        """Put together what the processes proved."""
        proofs: list[Verified] = record.told(VERIFY.name)
        logs: dict[int, Correctness] = {}
        for proof in proofs:
            result.correctness.add(proof.receivers)
            logs.update(proof.logs)
        for faults in logs.values():
            result.correctness.add(faults)
        if unread := sum(proof.unread for proof in proofs):
            told = f"the history of {unread:,} conversations could not be re-read: what was lost there is not known"
            result.worsen(Verdict.INVALID, told)
        if skipped := sum(proof.skipped for proof in proofs):
            result.note(
                f"the history of {skipped:,} conversations was not re-read in {VERIFY_S:.0f} s: what was lost there is not known"
            )
        if settings.closed:
            result.note(
                "closed loop: the server set the pace; latencies are not those of users who send when they like"
            )
