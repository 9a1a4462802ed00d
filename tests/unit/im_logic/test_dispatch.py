"""What the dispatcher decides itself; the operations are tested over a real repo."""

import asyncio
from typing import Any

import pytest

from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_logic.asker import Asker, Origin
from im_logic.dispatch import Dispatcher
from im_logic.messaging.settings import MessagingSettings
from im_proto.v1.account_pb2 import FindUserRequest, FindUserResponse, User
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import SendRequest
from im_proto.v1.read_pb2 import AckReceivedRequest, MarkReadRequest
from im_proto.v1.session_pb2 import HelloRequest, PingRequest
from tests.logic_support.gateways import KeptResponder

ORIGIN = Origin("gw", "b1", 9)


class Rooms:
    """Send and cursors, kept."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Asker]] = []

    def send(self, asker: Asker, request: SendRequest, responder: Any) -> None:
        self.calls.append(("send", asker))

    def ack_received(self, asker: Asker, request: AckReceivedRequest) -> None:
        self.calls.append(("ack_received", asker))

    def mark_read(self, asker: Asker, request: MarkReadRequest, responder: Any) -> None:
        self.calls.append(("mark_read", asker))


async def find(asker: Asker, request: FindUserRequest) -> FindUserResponse:
    return FindUserResponse(user=User(user_id=asker.user_id, handle=request.handle))


class Bench:
    def __init__(self) -> None:
        self.rooms = Rooms()
        self.dispatcher = Dispatcher(
            send=self.rooms,  # type: ignore[arg-type]
            cursors=self.rooms,  # type: ignore[arg-type]
            operations={"find_user": find},
            clock=ManualClock(),
            settings=MessagingSettings(operations_per_user_burst=3),
        )

    def handle(self, *, exempt: bool = False, **operation: Any) -> KeptResponder:
        return self.handle_bytes(ClientFrame(request_id=4, **operation).SerializeToString(), exempt=exempt)

    def handle_bytes(self, frame: bytes, *, exempt: bool = False) -> KeptResponder:
        responder = KeptResponder()
        self.dispatcher.handle(Asker(7, 2, ORIGIN, exempt), frame, responder)
        return responder


def test_a_send_knows_who_asks_and_from_where() -> None:
    bench = Bench()
    bench.handle(send=SendRequest())
    assert bench.rooms.calls == [("send", Asker(7, 2, ORIGIN))]


@pytest.mark.parametrize(("request_id", "nobody_waits"), [(4, False), (0, True)])
def test_what_was_received_is_answered_at_once_to_who_waits(request_id: int, nobody_waits: bool) -> None:
    frame = ClientFrame(request_id=request_id, ack_received=AckReceivedRequest())
    responder = Bench().handle_bytes(frame.SerializeToString())
    assert responder.frame is not None
    assert responder.frame.WhichOneof("event") == "ack_received"
    assert responder.nobody_waits is nobody_waits


async def test_an_operation_answers_in_the_field_of_its_own_name() -> None:
    responder = Bench().handle(find_user=FindUserRequest(handle="eve"))
    while not responder.count:
        await asyncio.sleep(0)
    assert responder.frame is not None
    assert responder.frame.find_user.user.handle == "eve"


@pytest.mark.parametrize(("request_id", "nobody_waits"), [(4, False), (0, True)])
async def test_an_operation_that_is_only_told_is_answered_to_nobody(request_id: int, nobody_waits: bool) -> None:
    frame = ClientFrame(request_id=request_id, find_user=FindUserRequest(handle="eve"))
    responder = Bench().handle_bytes(frame.SerializeToString())
    while not responder.count:
        await asyncio.sleep(0)
    assert responder.nobody_waits is nobody_waits


@pytest.mark.parametrize("operation", [{}, {"hello": HelloRequest()}, {"ping": PingRequest()}])
def test_what_is_the_gateways_or_nobodys_is_unknown(operation: dict[str, Any]) -> None:
    with pytest.raises(ImError) as caught:
        Bench().handle(**operation)
    assert caught.value.reason is error_table.OPERATION_UNKNOWN


def test_bytes_that_are_no_frame_are_told() -> None:
    with pytest.raises(ImError) as caught:
        Bench().handle_bytes(b"\xff\xff")
    assert caught.value.reason is error_table.FRAME_INVALID


def test_operations_are_limited_but_not_what_has_limits_of_its_own() -> None:
    bench = Bench()
    for _ in range(3):
        bench.handle(mark_read=MarkReadRequest())
    with pytest.raises(ImError) as caught:
        bench.handle(mark_read=MarkReadRequest())
    assert caught.value.reason is error_table.RATE_LIMITED
    assert caught.value.retry_after_ms > 0
    bench.handle(send=SendRequest())
    bench.handle(ack_received=AckReceivedRequest())
    bench.handle(mark_read=MarkReadRequest(), exempt=True)
