import pytest

from im_infra.contract.command import caller_of, command_body, command_head, split_command, traced
from im_proto.logic.v1.stream_pb2 import Caller, CloseConnection, LogicRequest, OpenConnection

CALLER = Caller(user_id=1 << 60, session_id=7, user_kind=2, connection_id=3, gateway_id="gateway-0", device_id="d" * 36)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 20_000, 3_000_000])
@pytest.mark.parametrize("device_bytes", [0, 40, 300])
def test_a_command_is_the_message_it_stands_for_and_comes_apart_again(size: int, device_bytes: int) -> None:
    caller = Caller()
    caller.CopyFrom(CALLER)
    caller.device_id = "d" * device_bytes
    head, frame = command_head(caller), b"f" * size
    body = command_body(head, frame)
    said = LogicRequest.FromString(body)
    assert (said.caller, said.frame) == (caller, frame)
    assert split_command(body) == (head, frame)
    assert caller_of(head) == caller


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x0a",
        b"\x0a\x05",
        b"\x0a\xff\xff\xff\xff\xff",
        LogicRequest(caller=CALLER).SerializeToString(),
        LogicRequest(open_connection=OpenConnection(connection_id=7)).SerializeToString(),
        LogicRequest(close_connection=CloseConnection(caller=CALLER)).SerializeToString(),
        command_body(command_head(CALLER), b"frame") + b"\x00",
        command_body(command_head(CALLER), b"frame")[:-1],
        command_head(CALLER),
    ],
)
def test_anything_else_is_no_command(body: bytes) -> None:
    assert split_command(body) is None


def test_a_sampled_command_is_parsed_and_known_by_the_same_head() -> None:
    head = command_head(CALLER)
    body = traced(command_body(head, b"frame"), b"t" * 24)
    assert split_command(body) is None
    said = LogicRequest.FromString(body)
    assert (command_head(said.caller), said.frame, said.trace) == (head, b"frame", b"t" * 24)
