"""Whatever a client sends becomes frames or a complaint, never an exception."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from im_gateway.codec.abstract import Malformed
from im_gateway.codec.json_codec import JsonCodec
from im_gateway.codec.protobuf_codec import ProtobufCodec
from im_gateway.transport.assembly import Assembly, Opcode, TooLargeError, ViolationError
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames
from im_proto.v1.message_pb2 import Content, SendRequest, Text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["request_id", "send", "ping", "content", "text", "view", "conversation_ids", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def check(decoded: list[Any]) -> None:
    assert decoded
    for each in decoded:
        assert isinstance(each, ClientFrame | Malformed)
        assert 0 <= each.request_id < 2**64
        if isinstance(each, ClientFrame):
            each.SerializeToString()
            each.WhichOneof("operation")


@given(st.binary(max_size=400))
def test_arbitrary_bytes(data: bytes) -> None:
    check(ProtobufCodec().decode(data))


@given(st.binary(max_size=60), st.integers(0, 200), st.binary(max_size=4))
def test_damaged_frames(tail: bytes, cut: int, inserted: bytes) -> None:
    send = SendRequest(conversation_id=5, client_message_id="é" * 9, content=Content(text=Text(text="hello")))
    whole = ClientFrames(frames=[ClientFrame(request_id=7, send=send)]).SerializeToString()
    check(ProtobufCodec().decode(whole[:cut] + inserted + whole[cut:] + tail))


@given(st.text(max_size=300))
def test_arbitrary_text(text: str) -> None:
    check(JsonCodec().decode(text))


@given(JSON)
def test_arbitrary_json(value: Any) -> None:
    check(JsonCodec().decode(json.dumps(value)))


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.binary(max_size=40), st.booleans()), max_size=20))
def test_any_sequence_of_fragments_is_messages_or_a_violation(frames: list[tuple[int, bytes, bool]]) -> None:
    assembly = Assembly(100)
    try:
        for opcode, payload, final in frames:
            message = assembly.feed(opcode, payload, final=final)
            if message is not None:
                assert message[0] in {Opcode.TEXT, Opcode.BINARY}
                assert len(message[1]) <= 100
    except (ViolationError, TooLargeError):
        pass


@given(st.binary(min_size=1, max_size=99), st.lists(st.integers(0, 99), max_size=8))
def test_a_message_cut_anywhere_comes_whole(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    parts = [data[start:end] for start, end in pairwise(places)]
    assembly = Assembly(100)
    for number, part in enumerate(parts):
        message = assembly.feed(Opcode.CONTINUATION if number else Opcode.BINARY, part, final=number == len(parts) - 1)
    assert message == (Opcode.BINARY, data)
