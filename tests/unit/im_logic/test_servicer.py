"""Who handles what comes over the stream."""

from typing import Any

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.rpc.peer import Peer
from im_logic.asker import Asker
from im_logic.servicer import RequestHandler
from im_proto.logic.v1 import stream_pb2

GATEWAY = Peer("gateway-1", "boot-1")


class Stream:
    """A gateway's stream."""

    peer = GATEWAY


class Responder:
    """Runs nothing; keeps what it was to run."""

    def __init__(self) -> None:
        self.ran: list[Any] = []

    def run(self, coroutine: Any) -> None:
        self.ran.append(coroutine)


class Rooms:
    """Both rooms."""

    def __init__(self) -> None:
        self.commands: list[tuple[int, bytes]] = []

    def handle(self, asker: Asker, frame: bytes, responder: Any) -> None:
        self.commands.append((asker.user_id, frame))

    def open(self, gateway: Peer, request: stream_pb2.OpenConnection) -> Any:
        return ("open", gateway, request.connection_id)

    def close(self, request: stream_pb2.CloseConnection) -> Any:
        return ("close", request.boot_id)


def handled(request: stream_pb2.LogicRequest) -> tuple[Rooms, list[Any]]:
    rooms, responder = Rooms(), Responder()
    RequestHandler(rooms, rooms).handle(Stream(), request.SerializeToString(), responder)  # type: ignore[arg-type]
    return rooms, responder.ran


def test_a_command_is_handled_within_the_call() -> None:
    rooms, ran = handled(stream_pb2.LogicRequest(caller=stream_pb2.Caller(user_id=5), frame=b"x"))
    assert rooms.commands == [(5, b"x")]
    assert ran == []


def test_connections_open_and_close_in_tasks_of_their_own() -> None:
    _, ran = handled(stream_pb2.LogicRequest(open_connection=stream_pb2.OpenConnection(connection_id=7)))
    assert ran == [("open", GATEWAY, 7)]
    _, ran = handled(stream_pb2.LogicRequest(close_connection=stream_pb2.CloseConnection(boot_id="b")))
    assert ran == [("close", "b")]


def test_a_request_of_a_newer_gateway_is_unknown() -> None:
    with pytest.raises(ImError) as caught:
        handled(stream_pb2.LogicRequest())
    assert caught.value.reason is error_table.OPERATION_UNKNOWN
