"""A light client for load: raw frames, one unanswered message per conversation, the same id until it is answered."""

import asyncio
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from im_bench.accounts import Account
from im_bench.adapters.abstract import AdapterError
from im_bench.adapters.im.connection import Connection
from im_bench.message_id import MessageIds
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import Content, SendRequest, Text
from tests.harness.history import History
from tests.harness.light import Unread, open_light

ANSWER_S: Final = 15.0
BACKLOG: Final = 40
"""Messages that wait in a lane; what is offered beyond is not taken, for a load need not queue for ever."""


@dataclass(slots=True, eq=False)
class Lane:
    """One conversation of a sender."""

    conversation_id: int
    waiting: deque[SendRequest] = field(default_factory=deque)
    """The first one is under way once `written`."""
    offered: int = 0
    written: bool = False
    tries: int = 0


class Sender:
    """One account that sends whatever happens to the server.

    Args:
        name: unique in the run.
        account: who.
        url: the WebSocket's.
        history: what happens is written there.
        source: the jitter of reconnects.
    """

    def __init__(self, name: str, account: Account, *, url: str, history: History, source: random.Random) -> None:
        self.name = name
        self.account = account
        self.padding = ""
        """Makes messages longer."""
        self.lanes: list[Lane] = []
        self.connection: Connection | None = None
        self.refusals: Counter[str] = Counter()
        """Answers that were errors, by name; what is retryable was sent again."""
        self._url = url
        self._history = history
        self._random = source

    @property
    def idle(self) -> bool:
        """Everything offered was answered."""
        return all(not lane.waiting for lane in self.lanes)

    def join(self, conversation_id: int) -> Lane:
        """Talk in a conversation from here on."""
        lane = Lane(conversation_id)
        self.lanes.append(lane)
        return lane

    def offer(self, lane: Lane) -> None:
        """Send the lane's next message as soon as those before it are answered."""
        if len(lane.waiting) >= BACKLOG:
            return
        lane.offered += 1
        text = f"{self.name} {lane.conversation_id}{self.padding} {lane.offered}"
        request = SendRequest(
            conversation_id=lane.conversation_id,
            client_message_id=MessageIds().next(),
            content=Content(text=Text(text=text)),
        )
        lane.waiting.append(request)
        self._tell("offered", lane, request)
        if len(lane.waiting) == 1:
            self._write(lane)

    async def open(self) -> Connection:
        """Connect once; used before the load, and by `run`."""
        self.connection = await open_light(
            self._url,
            access_token=self.account.access_token,
            device_id=self.account.device_id,
            mailbox=_Received(self),
        )
        self._history.add("connected", device=self.name)
        return self.connection

    async def run(self) -> None:
        """Stay connected until cancelled; after each connection what is unanswered is sent again."""
        while True:
            try:
                connection = self.connection or await self.open()
            except AdapterError:
                await asyncio.sleep(self._random.uniform(0.05, 0.4))
                continue
            for lane in self.lanes:
                self._write(lane)
            await asyncio.wait({connection.lost})  # awaited by itself, it would be cancelled with this task
            self.connection = None
            self._history.add("disconnected", device=self.name)
            for lane in self.lanes:
                self._give_up(lane)

    def _write(self, lane: Lane) -> None:
        connection = self.connection
        if connection is None or connection.lost.done() or lane.written or not lane.waiting:
            return
        request = lane.waiting[0]
        lane.tries += 1
        request.attempt = lane.tries
        lane.written = True
        self._tell("send_invoke", lane, request)
        connection.request(ClientFrame(send=request), lambda answer: self._answered(lane, request, connection, answer))
        asyncio.get_running_loop().call_later(ANSWER_S, self._too_late, lane, request, lane.tries, connection)

    def _answered(self, lane: Lane, request: SendRequest, connection: Connection, answer: ServerFrame) -> None:
        if connection is not self.connection:
            return  # given up with its connection
        lane.written = False
        if answer.HasField("error"):
            self.refusals[answer.error.name] += 1
        if answer.HasField("error") and answer.error.retryable:
            asyncio.get_running_loop().call_later(max(0.05, answer.error.retry_after_ms / 1000), self._write, lane)
            return
        lane.waiting.popleft()
        lane.tries = 0
        if answer.HasField("error"):
            self._tell("send_fail", lane, request)
        else:
            self._tell("send_ok", lane, request, seq=answer.send.seq)
        self._write(lane)

    def _give_up(self, lane: Lane) -> None:
        if lane.written:
            lane.written = False
            self._tell("send_unknown", lane, lane.waiting[0])

    def _too_late(self, lane: Lane, request: SendRequest, tries: int, connection: Connection) -> None:
        """No answer, though the connection lives: the connection is given up, and what is unanswered goes out again."""
        same = lane.written and lane.waiting[0] is request and lane.tries == tries
        if same and connection is self.connection:
            assert connection._transport is not None
            connection._transport.disconnect()

    def received(self, conversation_id: int, seq: int, text: str) -> None:
        """A message was pushed."""
        self._history.add(
            "received",
            device=self.name,
            user_id=self.account.user_id,
            conversation_id=conversation_id,
            key=text,
            seq=seq,
        )

    def _tell(self, kind: str, lane: Lane, request: SendRequest, *, seq: int = 0) -> None:
        key = request.content.text.text
        self._history.add(
            kind,  # type: ignore[arg-type]  # one of the literals
            device=self.name,
            user_id=self.account.user_id,
            conversation_id=lane.conversation_id,
            key=key,
            number=int(key.rsplit(" ", 1)[1]),
            seq=seq,
        )


class _Received(Unread):
    """Tells a sender what is pushed to it."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def deliver(self, conversation_id: int, seq: int, text: str) -> None:
        self._sender.received(conversation_id, seq, text)
