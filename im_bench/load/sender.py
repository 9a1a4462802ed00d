"""One sender in one conversation: at most one unacked message; what is due meanwhile waits and its latency grows."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from im_bench.adapters.abstract import Client, Refusal
from im_bench.ledger.inbox import Inbox
from im_bench.ledger.lane import SentLane
from im_bench.load.stamp import write_stamp
from im_bench.load.window import Window
from im_bench.measure.tally import Tally
from im_bench.message_id import MessageIds

LEAST_RETRY_S: Final = 0.01


class SendRefusedError(Exception):
    """The server refused a send for good: the run cannot take place as it was meant."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What all senders of a process share."""

    run: str
    filler: str
    window: Window
    tally: Tally
    on_failure: Callable[[Exception], None]
    """Told what ends the run."""


class Sender:
    """One lane's sending end.

    Args:
        traffic: shared by the process.
        client: the sender's connection.
        inbox: what the sender itself is pushed there: its own entries have places in that log too.
        conversation_id: where it writes.
    """

    __slots__ = (
        "_attempt", "_client", "_ids", "_inbox", "_intended", "_message_id", "_number", "_text", "_traffic",
        "busy", "conversation_id", "endless", "lane", "waiting",
    )  # fmt: skip

    def __init__(self, traffic: Traffic, client: Client, inbox: Inbox, conversation_id: int) -> None:
        self._traffic = traffic
        self._client = client
        self._inbox = inbox
        self._ids = MessageIds()
        self.conversation_id = conversation_id
        self.lane = SentLane()
        self.busy = False
        self.endless = False
        """Closed loop: the next message leaves as soon as one is acked."""
        self.waiting: deque[float] = deque()
        """Intended moments of what waits for the one under way; unbounded, since dropping would hide the server's lag."""

    @property
    def person(self) -> int:
        """The sender's index in the run."""
        return self._inbox.person

    def offer(self, intended: float) -> None:
        """A message is due."""
        self._traffic.tally.offered += 1
        if self.busy:
            self.waiting.append(intended)
        else:
            self._send(intended)

    def give_up(self, now: float) -> int:
        """Start nothing more; what waits is counted with the age it has, so that a lag stays in the figures.

        Returns:
            how many messages were due and never left.
        """
        self.endless = False
        count = len(self.waiting)
        for intended in self.waiting:
            if intended in self._traffic.window:
                self._traffic.tally.ack.record(now - intended)
        self.waiting.clear()
        return count

    def _send(self, intended: float) -> None:
        self.busy = True
        self._intended, self._number, self._attempt = intended, self.lane.next(), 1
        self._message_id = self._ids.next()
        traffic = self._traffic
        self._text = write_stamp(traffic.run, self._inbox.person, self._number, intended, traffic.filler)
        self._client.send(self.conversation_id, self._message_id, self._text, self, attempt=1)

    def _repeat(self) -> None:
        self._attempt += 1
        self._client.send(self.conversation_id, self._message_id, self._text, self, attempt=self._attempt)

    def acked(self, seq: int) -> None:
        """The one under way is on disk (see `Outcome`)."""
        now = time.monotonic()
        tally, intended = self._traffic.tally, self._intended
        self.lane.acked.add(self._number)
        if seq:
            self._inbox.seqs.add(seq)
        if intended in self._traffic.window:
            tally.ack.record(now - intended)
        tally.acked += 1
        self.busy = False
        if self.waiting:
            self._send(self.waiting.popleft())
        elif self.endless:
            self.offer(now)

    def refused(self, refusal: Refusal) -> None:
        """The one under way was not taken (see `Outcome`): it is repeated, or the run ends."""
        if not refusal.retryable:
            self._traffic.on_failure(SendRefusedError(f"{refusal.name}: {refusal.text}"))
            return
        self._traffic.tally.counts[f"refused {refusal.name}"] += 1
        asyncio.get_running_loop().call_later(max(LEAST_RETRY_S, refusal.retry_after_s), self._repeat)
