"""The binary subprotocol."""

from hypothesis import given
from hypothesis import strategies as st

from im_gateway.codec.abstract import Malformed, Outgoing
from im_gateway.codec.protobuf_codec import ProtobufCodec
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames, ServerFrame, ServerFrames
from im_proto.v1.message_pb2 import SendResponse
from im_proto.v1.session_pb2 import PingRequest

CODEC = ProtobufCodec()
FRAME = ServerFrame(send=SendResponse(conversation_id=5, seq=6)).SerializeToString()


def test_frames_come_in_order() -> None:
    sent = [ClientFrame(request_id=n, ping=PingRequest()) for n in (1, 2)]
    assert CODEC.decode(ClientFrames(frames=sent).SerializeToString()) == sent


def test_nothing_and_nonsense_are_malformed() -> None:
    assert all(isinstance(each, Malformed) for data in (b"", b"\xff") for each in CODEC.decode(data))


@given(st.integers(1, 2**64 - 1))
def test_an_answer_gets_its_request_id_without_being_parsed(request_id: int) -> None:
    chunks = [CODEC.answer(request_id, FRAME), Outgoing(FRAME).chunk(CODEC)]
    frames = ServerFrames.FromString(CODEC.join(chunks)).frames
    assert [frame.request_id for frame in frames] == [request_id, 0]
    assert all(frame.send.seq == 6 for frame in frames)


def test_a_push_is_encoded_once() -> None:
    outgoing = Outgoing(FRAME)
    assert outgoing.chunk(CODEC) is outgoing.chunk(CODEC)
