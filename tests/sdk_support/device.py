"""A session of the SDK wired to the model server, on virtual time, with a network that a test can spoil."""

import random
from typing import Any

from im_proto.v1 import frame_pb2, message_pb2
from im_sdk import _commands as commands
from im_sdk._credentials import AccessToken
from im_sdk._events import Event, MessageReceived, MessageSent
from im_sdk._outbox import Draft
from im_sdk._session import Session
from im_sdk._settings import SessionSettings
from im_sdk._snapshot import Snapshot
from tests.sdk_support.model_server import START_MS, Connection, ModelServer


class Device:
    """One account's session; frames move only when a test says so."""

    def __init__(
        self,
        server: ModelServer,
        user_id: int,
        *,
        seed: int = 0,
        settings: SessionSettings | None = None,
        snapshot: Snapshot | None = None,
        access: AccessToken | None = None,
        renewable: bool = False,
    ) -> None:
        self.server = server
        self.user_id = user_id
        self.now = 1000.0
        self.session = Session(
            settings or SessionSettings(device_id="device-1", instance_id="instance-1"),
            access=access or AccessToken(f"token-{user_id}", 0),
            renewable=renewable,
            source=random.Random(seed),
            now=self.now,
            wall_ms=START_MS,
            snapshot=snapshot,
        )
        self.connection: Connection | None = None
        self.events: list[Event] = []
        self.commands: list[commands.Command] = []
        self.acknowledged: dict[str, int] = {}
        self.refused: dict[str, Any] = {}
        self.answers: dict[int, commands.Answered] = {}
        self.reachable = True
        self.sent = 0

    # moves

    def start(self) -> None:
        self.session.start(self.now)
        self.pump()

    def online(self) -> "Device":
        """Connect and deliver everything."""
        self.start()
        self.settle()
        return self

    def pump(self) -> None:
        """Do what the session asks and bring its messages to the server."""
        session = self.session
        while True:
            while (data := session.take_message()) is not None:
                if self.connection is not None:
                    self.server.receive(self.connection, data)
            self.events += session.take_events()
            todo = session.take_commands()
            if not todo:
                return
            self.commands += todo
            for command in todo:
                self._obey(command)

    def deliver(self, count: int = 1_000_000, *, repeat: bool = False, swap: bool = False) -> int:
        """Let the session hear up to `count` frames; pushes may be doubled or swapped with their neighbour."""
        done = 0
        while self.connection is not None and done < count:
            conn = self.connection
            if not conn.outgoing:
                if not conn.open:
                    self.connection = None
                    self.session.socket_closed(self.now, conn.close_code, "")
                    self.pump()
                break
            frame = conn.outgoing.popleft()
            if swap and conn.outgoing and is_push(frame) and is_push(conn.outgoing[0]):
                frame, conn.outgoing[0] = conn.outgoing[0], frame
            self.hear(frame)
            if repeat and is_push(frame) and self.connection is conn:
                self.hear(frame)
            done += 1
        return done

    def hear(self, *frames: frame_pb2.ServerFrame) -> None:
        """The session hears one WebSocket message."""
        self.session.received(frame_pb2.ServerFrames(frames=frames).SerializeToString(), self.now)
        self.pump()

    def settle(self) -> None:
        """Deliver until nothing moves."""
        while self.deliver():
            pass

    def drop(self, code: int = 1006) -> None:
        """The connection dies; what was under way is lost."""
        if self.connection is not None:
            self.connection.open = False
            self.connection = None
            self.session.socket_closed(self.now, code, "")
            self.pump()

    def sleep(self, seconds: float) -> None:
        """Time passes; timers fire when they are due."""
        end = self.now + seconds
        for _ in range(10_000):
            deadline = self.session.deadline()
            if deadline > end:
                break
            self.now = max(self.now, deadline)
            self.session.tick(self.now)
            self.pump()
            self.settle()
        else:
            raise AssertionError("the session's timer never rests")
        self.now = end
        self.session.tick(self.now)
        self.pump()

    def send(self, conversation_id: int, text: str, **fields: Any) -> str:
        client_message_id = self.session.new_id(self.now)
        content = message_pb2.Content(text=message_pb2.Text(text=text))
        self.session.send(Draft(conversation_id, client_message_id, content, **fields), self.now)
        self.pump()
        return client_message_id

    def ask(self, operation: str, wire: Any, *, timeout_s: float = 30) -> int:
        ticket = self.session.request(operation, wire, self.now, timeout_s=timeout_s)
        self.pump()
        return ticket

    # what was seen

    def texts(self, conversation_id: int) -> list[str | None]:
        """The texts that the application was shown, in the order of showing."""
        return [
            event.message.text
            for event in self.events
            if isinstance(event, MessageReceived | MessageSent) and event.message.conversation_id == conversation_id
        ]

    def of(self, kind: type) -> list[Any]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def asked(self, operation: str) -> list[Any]:
        """The requests of a kind that reached the server on this connection."""
        assert self.connection is not None
        requests = [frame for frame in self.connection.requests if frame.WhichOneof("operation") == operation]
        return [getattr(frame, operation) for frame in requests]

    def _obey(self, command: commands.Command) -> None:
        match command:
            case commands.OpenSocket() if self.reachable:
                self.connection = self.server.connect()
                self.session.socket_opened(self.now)
            case commands.CloseSocket():
                if self.connection is not None:
                    self.connection.open = False
                self.connection = None
            case commands.SendAcknowledged(sent):
                assert sent.client_message_id not in self.acknowledged
                self.acknowledged[sent.client_message_id] = sent.seq
            case commands.SendRefused(_, client_message_id, error):
                self.refused[client_message_id] = error
            case commands.Answered(ticket):
                assert ticket not in self.answers
                self.answers[ticket] = command
            case _:
                pass


def is_push(frame: frame_pb2.ServerFrame) -> bool:
    """Whether the network of a test may spoil it."""
    return frame.HasField("message_push")
