"""What a connection writes first, and what once."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from im_gateway.codec.abstract import Outgoing
from im_gateway.codec.protobuf_codec import ProtobufCodec
from im_gateway.connections.connection import Connection, State
from im_gateway.connections.flusher import Flusher
from im_gateway.connections.tally import Tally
from im_gateway.settings import GatewaySettings
from im_infra.observability.metrics import Metrics
from im_proto.v1.frame_pb2 import ServerFrame, ServerFrames
from im_proto.v1.read_pb2 import HeadMark, HeadPush


class Loop:
    def __init__(self) -> None:
        self.ready: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.ready.append(callback)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        raise AssertionError(f"nothing lingers here, for {delay} s: {callback}")

    def run(self) -> int:
        """Returns how many turns it took."""
        turns = 0
        while self.ready:
            self.ready.pop(0)()
            turns += 1
        return turns


class Socket:
    """Notes who wrote what, in the order of the writes."""

    def __init__(self, name: int, writes: list[tuple[int, list[int]]]) -> None:
        self._name = name
        self._writes = writes
        self.writable = True
        self.reading = True

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def send_binary(self, data: bytes) -> None:
        frames = ServerFrames.FromString(data).frames
        self._writes.append((self._name, [frame.request_id for frame in frames]))


FRAME = ServerFrame(head_push=HeadPush(heads=[HeadMark(conversation_id=1, max_seq=7)])).SerializeToString()


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def writes() -> list[tuple[int, list[int]]]:
    return []


@pytest.fixture
def connections(loop: Loop, writes: list[tuple[int, list[int]]]) -> list[Connection]:
    hub: Any = SimpleNamespace(
        monotonic=lambda: 0.0,
        settings=GatewaySettings(),
        flusher=Flusher(loop),
        tally=Tally(Metrics()),
        on_lagged=pytest.fail,
    )
    made = []
    for number in range(150):
        connection = Connection(number, ProtobufCodec(), address="127.0.0.1", exempt=True, hub=hub)
        connection._socket = Socket(number, writes)  # type: ignore[assignment]
        connection.state = State.OPEN
        made.append(connection)
    return made


def test_an_ack_goes_before_a_crowd(
    connections: list[Connection], loop: Loop, writes: list[tuple[int, list[int]]]
) -> None:
    """And takes along what the same connection was pushed before, which is not written a second time."""
    outgoing = Outgoing(FRAME)
    for connection in connections:
        connection.push(outgoing, 0.0, crowd=True)
    connections[149].answer(5, FRAME)
    connections[149].push(outgoing, 0.0, crowd=True)
    loop.run()
    assert writes[0][0] == 149
    assert sorted(writes[0][1]) == [0, 0, 5]
    assert [name for name, _ in writes[1:]] == list(range(149))


def test_what_a_crowd_is_told_twice_before_its_turn_is_one_write(
    connections: list[Connection], loop: Loop, writes: list[tuple[int, list[int]]]
) -> None:
    outgoing = Outgoing(FRAME)
    for connection in (*connections, *connections):
        connection.push(outgoing, 0.0, crowd=True)
    assert loop.run() == 2, "each is queued once, so that the queue is bounded by the connections"
    assert writes == [(number, [0, 0]) for number in range(150)]


def test_a_push_to_one_alone_goes_before_a_crowd(
    connections: list[Connection], loop: Loop, writes: list[tuple[int, list[int]]]
) -> None:
    outgoing = Outgoing(FRAME)
    for connection in connections[:-1]:
        connection.push(outgoing, 0.0, crowd=True)
    connections[-1].push(outgoing, 0.0)
    loop.run()
    assert writes[0] == (149, [0])


def test_who_does_not_fetch_answers_is_not_read_until_they_are_written(
    connections: list[Connection], loop: Loop, writes: list[tuple[int, list[int]]]
) -> None:
    """The answers that wait are bounded by that alone: none is dropped."""
    connection = connections[0]
    socket: Any = connection._socket
    socket.writable = False
    bound = connection._hub.settings.connections.max_queued_answer_bytes
    answers = bound // len(FRAME) + 1
    for number in range(1, answers + 1):
        assert socket.reading
        connection.answer(number, FRAME)
        if number % 1_000 == 0 and connection.outbound.answer_bytes <= bound:
            loop.run()
    loop.run()
    assert not socket.reading
    assert writes == []
    socket.writable = True
    connection.on_writable()
    loop.run()
    assert socket.reading
    assert [request for _, requests in writes for request in requests] == list(range(1, answers + 1))


def test_a_push_through_is_written_at_once_where_nothing_waits(
    connections: list[Connection], loop: Loop, writes: list[tuple[int, list[int]]]
) -> None:
    connections[0].push_through(Outgoing(FRAME), 0.0)
    assert writes == [(0, [0])]
    assert loop.run() == 0


def test_a_push_through_overtakes_nothing(
    connections: list[Connection], loop: Loop, writes: list[tuple[int, list[int]]]
) -> None:
    outgoing = Outgoing(FRAME)
    told, slow, opening = connections[:3]
    told.answer(5, FRAME)
    told.push_through(outgoing, 0.0)
    socket: Any = slow._socket
    socket.writable = False
    slow.push_through(outgoing, 0.0)
    opening.state = State.OPENING
    opening.push_through(outgoing, 0.0)
    loop.run()
    assert writes == [(0, [5, 0])]
    socket.writable = True
    slow.on_writable()
    socket = opening._socket
    socket.hello_done = lambda: None
    opening.open(9, FRAME)
    loop.run()
    assert writes[1:] == [(1, [0]), (2, [9, 0])]


def test_a_push_through_to_one_that_lags_is_dropped_and_told(
    connections: list[Connection], loop: Loop, writes: list[tuple[int, list[int]]]
) -> None:
    connection = connections[0]
    connection._hub.on_lagged = lambda _connection: None  # type: ignore[method-assign]
    socket: Any = connection._socket
    socket.writable = False
    outgoing = Outgoing(FRAME)
    most = connection._hub.settings.connections.max_queued_pushes
    for _ in range(most + 1):
        connection.push_through(outgoing, 0.0)
    socket.writable = True
    connection.push_through(outgoing, 0.0)
    assert writes == [], "the client must be told of the gap before it gets anything more"
    assert connection.outbound.dropped == most + 2
    connection.on_writable()
    loop.run()
    connection.push_through(outgoing, 0.0)
    assert [len(frames) for _, frames in writes] == [1, 1]
    assert connection.outbound.lagged_at is None


def test_a_push_through_to_one_that_closed_goes_nowhere(
    connections: list[Connection], loop: Loop, writes: list[tuple[int, list[int]]]
) -> None:
    connection = connections[0]
    connection._hub.on_closed = lambda _connection: None  # type: ignore[method-assign]
    connection.on_closed()
    connection.push_through(Outgoing(FRAME), 0.0)
    assert loop.run() == 0
    assert writes == []
    assert not connection.outbound
