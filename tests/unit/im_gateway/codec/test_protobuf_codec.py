"""The binary subprotocol."""

from hypothesis import given
from hypothesis import strategies as st

from im_gateway.codec.abstract import Malformed, Outgoing
from im_gateway.codec.protobuf_codec import ProtobufCodec
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames, ServerFrame, ServerFrames
from im_proto.v1.message_pb2 import SendRequest, SendResponse
from im_proto.v1.session_pb2 import PingRequest

CODEC = ProtobufCodec()
FRAME = ServerFrame(send=SendResponse(conversation_id=5, seq=6)).SerializeToString()


def test_frames_come_in_order() -> None:
    sent = [ClientFrame(request_id=n, ping=PingRequest()) for n in (1, 2)]
    assert CODEC.decode(ClientFrames(frames=sent).SerializeToString()) == sent


@given(st.integers(0, 40_000))
def test_a_frame_that_comes_alone_is_at_hand_as_it_came(size: int) -> None:
    frame = ClientFrame(request_id=1, send=SendRequest(client_message_id="x" * size))
    data = ClientFrames(frames=[frame]).SerializeToString()
    assert CODEC.sole_frame(data) == frame.SerializeToString()


def test_a_frame_that_comes_with_something_else_is_not_at_hand() -> None:
    data = ClientFrames(frames=[ClientFrame(request_id=1)]).SerializeToString()
    assert CODEC.sole_frame(data + b"\x10\x01") == b""
    assert CODEC.sole_frame(b"\x10\x01" + data) == b""
    assert CODEC.sole_frame(b"\x0a\x82\x00\x08\x01") == b"", "a length that is written longer than need be"


def test_nothing_and_nonsense_are_malformed() -> None:
    assert all(isinstance(each, Malformed) for data in (b"", b"\xff") for each in CODEC.decode(data))


@given(st.integers(1, 2**64 - 1))
def test_an_answer_gets_its_request_id_without_being_parsed(request_id: int) -> None:
    chunks = [CODEC.answer(request_id, FRAME), Outgoing(FRAME).chunk(CODEC)]
    frames = ServerFrames.FromString(CODEC.join(chunks, 2)).frames
    assert [frame.request_id for frame in frames] == [request_id, 0]
    assert all(frame.send.seq == 6 for frame in frames)


def test_a_push_is_encoded_once() -> None:
    outgoing = Outgoing(FRAME)
    assert outgoing.chunk(CODEC) is outgoing.chunk(CODEC)
