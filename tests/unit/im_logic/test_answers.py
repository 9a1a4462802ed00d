from im_logic.answers import encode
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.message_pb2 import SendResponse


def test_the_gateway_gets_a_frame_that_it_only_has_to_number() -> None:
    frame = ServerFrame.FromString(encode(ServerFrame(send=SendResponse(seq=3))))
    assert (frame.request_id, frame.send.seq) == (0, 3)
