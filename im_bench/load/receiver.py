"""One connection's receiving end: checks every pushed message against the ledger, and times it."""

import time
from typing import Final

from im_bench.ledger.correctness import Correctness
from im_bench.ledger.inbox import Inbox
from im_bench.ledger.lane import Sight
from im_bench.load.stamp import read_stamp
from im_bench.load.window import Window
from im_bench.measure.tally import Tally

_COUNTED: Final = {
    Sight.DUPLICATE: "duplicate",
    Sight.OUT_OF_ORDER: "out_of_order",
    Sight.GAP: "gap",
    Sight.LATE: "late",
}


class Receiver:
    """What reaches one connection; a `Mailbox`.

    Args:
        run: the run's name, as the stamps bear it.
        window: what is measured.
        tally: of this process.
        correctness: of this process.
    """

    __slots__ = (
        "_connected", "_correctness", "_ended_with", "_run", "_tally", "_window", "closed_with", "delivery", "heads",
        "inboxes",
    )  # fmt: skip

    def __init__(self, run: str, window: Window, tally: Tally, correctness: Correctness) -> None:
        self._run = run
        self._window = window
        self._tally = tally
        self._correctness = correctness
        self.delivery = tally.delivery
        """Where its latencies go."""
        self.inboxes: dict[int, Inbox] = {}
        """By conversation; what is pushed of any other is not the run's business."""
        self.heads: dict[int, int] = {}
        """How far logs have grown whose messages are not pushed one by one."""
        self._connected = False
        self._ended_with: int | None = None
        self.closed_with: int | None = None
        """The server's close code, once it closed."""

    def connected(self) -> None:
        """The connection is open and its Hello was answered: from now on it counts as one."""
        self._connected = True
        self._tally.connections += 1
        if self._ended_with is not None:
            self.closed(self._ended_with)  # right behind the answer

    def join(self, person: int, conversation_id: int, head_seq: int) -> Inbox:
        """Expect messages of a conversation."""
        inbox = self.inboxes[conversation_id] = Inbox(person, head_seq)
        return inbox

    def deliver(self, conversation_id: int, seq: int, text: str) -> None:
        """A message was pushed (see `Mailbox`)."""
        inbox = self.inboxes.get(conversation_id)
        if inbox is None:
            return
        again = seq and not inbox.seqs.add(seq)
        stamp = read_stamp(text, self._run)
        if stamp is None or stamp.sender == inbox.person:
            return  # one's own, pushed behind its ack: large conversations do
        if again:
            self._correctness.repeat += 1
            return
        now = time.monotonic()
        _, sender, number, intended = stamp
        lane = inbox.lanes.get(sender) or inbox.lane(sender)
        sight = lane.see(number, seq, now)
        if sight is not Sight.GOOD:
            counted = _COUNTED[sight]
            setattr(self._correctness, counted, getattr(self._correctness, counted) + 1)
            if sight is Sight.DUPLICATE:
                return
        tally, window = self._tally, self._window
        tally.delivered += 1
        if window.start <= intended < window.end:
            self.delivery.record(now - intended)

    def head(self, conversation_id: int, seq: int) -> None:
        """A log grew (see `Mailbox`)."""
        self.heads[conversation_id] = max(seq, self.heads.get(conversation_id, 0))

    def resync(self) -> None:
        """The client was told that it fell behind (see `Mailbox`)."""
        if time.monotonic() >= self._window.begin:  # being told of a new conversation while connecting is none
            self._correctness.resync += 1

    def closed(self, code: int) -> None:
        """The connection ended (see `Mailbox`); one whose Hello was not answered well never was one."""
        self._ended_with = code
        if not self._connected:
            return
        self._tally.connections -= 1
        if code:
            self.closed_with = code
            self._tally.counts[f"closed with {code}"] += 1
