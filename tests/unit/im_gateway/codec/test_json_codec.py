"""The text subprotocol."""

import json
from typing import Any

import pytest

from im_gateway.codec.abstract import Malformed, Outgoing, Run
from im_gateway.codec.json_codec import JsonCodec
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import SendResponse

CODEC = JsonCodec()
FRAME = ServerFrame(send=SendResponse(conversation_id=2**60, seq=6)).SerializeToString()


def one(value: Any) -> ClientFrame | Malformed:
    (decoded,) = CODEC.decode(json.dumps(value))
    return decoded


def test_one_frame_or_a_list() -> None:
    assert isinstance(one({"request_id": 1, "ping": {}}), ClientFrame)
    decoded = CODEC.decode('[{"request_id": "1", "ping": {}}, {"request_id": 2, "send": {"conversation_id": "7"}}]')
    assert [frame.request_id for frame in decoded] == [1, 2]


def test_a_malformed_frame_does_not_spoil_the_others() -> None:
    decoded = CODEC.decode('[{"request_id": 3, "send": 5}, {"request_id": 4, "ping": {}}]')
    assert isinstance(decoded[0], Malformed)
    assert decoded[0].request_id == 3
    assert isinstance(decoded[1], ClientFrame)


@pytest.mark.parametrize(
    "text",
    ["", "x", "5", "null", '"a"', "[]", "[[]]", "[null]", '{"request_id": -1}', '{"request_id": 1e400}',
     '{"send": {"client_message_id": "\\ud800"}}', '{"ping": {}, "send": {}}', '{"request_id": "99999999999999999999"}',
     "[" * 3000, '{"send": {"conversation_id": ' + "9" * 5000 + "}}"],
)  # fmt: skip
def test_what_is_no_frame_is_malformed(text: str) -> None:
    assert all(isinstance(each, Malformed) for each in CODEC.decode(text))
    assert CODEC.decode(text)


def test_unknown_fields_are_passed_over_as_in_protobuf() -> None:
    frame = one({"request_id": 1, "ping": {"newer": 1}, "newest": {}})
    assert isinstance(frame, ClientFrame)
    assert frame.HasField("ping")


def test_ids_are_strings_and_zeros_are_written() -> None:
    answer = json.loads(CODEC.answer(9, FRAME))
    assert answer["request_id"] == "9"
    assert answer["send"]["conversation_id"] == str(2**60)
    assert answer["send"]["duplicate"] is False


def test_one_object_alone_and_several_in_a_list() -> None:
    chunk = Outgoing(FRAME).chunk(CODEC)
    assert isinstance(json.loads(CODEC.join([chunk], 1)), dict)
    assert len(json.loads(CODEC.join([chunk, chunk], 2))) == 2
    run = Run([Outgoing(FRAME), Outgoing(FRAME)]).chunk(CODEC)
    assert len(json.loads(CODEC.join([run], 2))) == 2


def test_a_frame_has_to_be_serialised() -> None:
    assert CODEC.sole_frame("{}") == b""
