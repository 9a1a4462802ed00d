"""One sender in one conversation: at most one unacked message, what is due meanwhile waits and its latency grows."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from im_bench.connection import Connection
from im_bench.ledger import Lane
from im_bench.tally import Tally
from im_bench.uuid7 import uuid7
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import Content, SendRequest, Text


class SendRefusedError(Exception):
    """The server refused a send for good: the run cannot take place as it was meant."""


class Stamp(NamedTuple):
    """What a message says of itself."""

    run: str
    key: str
    """The sender's lane."""
    number: int
    intended: float
    """`time.monotonic()` of this machine: one generator process owns both ends."""


def write_stamp(stamp: Stamp, filler: str) -> str:
    """The text of a message."""
    return f"{stamp.run} {stamp.key} {stamp.number} {stamp.intended!r} {filler}"


def read_stamp(text: str) -> Stamp | None:
    """The stamp in a text; None where somebody else wrote it."""
    parts = text.split(" ", 4)
    if len(parts) != 5:
        return None
    run, key, number, intended, _ = parts
    return Stamp(run, key, int(number), float(intended))


@dataclass(frozen=True, slots=True)
class Traffic:
    """What all senders of a run share."""

    run: str
    filler: str
    tally: Tally
    on_failure: Callable[[Exception], None]
    """Told what ends the run."""


class Sender:
    """One direction of a conversation.

    Args:
        traffic: shared by the run.
        connection: the sender's socket.
        conversation_id: where it writes.
        key: the lane's name, without spaces.
        endless: send the next message as soon as one is acked (closed loop).
    """

    __slots__ = ("_endless", "_traffic", "busy", "connection", "conversation_id", "key", "lane", "waiting")

    def __init__(
        self, traffic: Traffic, connection: Connection, conversation_id: int, *, key: str, endless: bool
    ) -> None:
        self._traffic = traffic
        self._endless = endless
        self.connection = connection
        self.conversation_id = conversation_id
        self.key = key
        self.lane = Lane()
        self.busy = False
        self.waiting: deque[float] = deque()
        """Intended moments of what waits for the one under way; unbounded, since dropping would hide the server's lag."""

    @property
    def settled(self) -> bool:
        """Everything that left was answered and seen."""
        return not self.busy and not self.waiting and not self.lane.acked

    def offer(self, intended: float) -> None:
        """A message is due."""
        self._traffic.tally.count("offered")
        if self.busy:
            self.waiting.append(intended)
        else:
            self._send(intended)

    def end(self) -> None:
        """Start no further message by itself."""
        self._endless = False

    def _send(self, intended: float) -> None:
        self.busy = True
        self.lane.sent += 1
        stamp = Stamp(self._traffic.run, self.key, self.lane.sent, intended)
        text = write_stamp(stamp, self._traffic.filler)
        request = SendRequest(
            conversation_id=self.conversation_id,
            client_message_id=uuid7(),
            content=Content(text=Text(text=text)),
            attempt=1,
        )
        self._post(request, stamp)

    def _post(self, request: SendRequest, stamp: Stamp) -> None:
        self.connection.request(ClientFrame(send=request), lambda answer: self._on_answer(request, stamp, answer))

    def _on_answer(self, request: SendRequest, stamp: Stamp, answer: ServerFrame) -> None:
        if answer.HasField("error"):
            self._on_refusal(request, stamp, answer)
            return
        now = time.monotonic()
        self.lane.ack(stamp.number)
        self._traffic.tally.ack.record(now - stamp.intended)
        self._traffic.tally.count("acked")
        self.busy = False
        if self.waiting:
            self._send(self.waiting.popleft())
        elif self._endless:
            self.offer(now)

    def _on_refusal(self, request: SendRequest, stamp: Stamp, answer: ServerFrame) -> None:
        error = answer.error
        if not error.retryable:
            self._traffic.on_failure(SendRefusedError(f"{error.number} {error.name}: {error.message}"))
            return
        refusals = self._traffic.tally.refusals
        refusals[error.name] = refusals.get(error.name, 0) + 1
        request.attempt += 1
        wait_s = max(0.01, error.retry_after_ms / 1000)
        asyncio.get_running_loop().call_later(wait_s, self._post, request, stamp)
