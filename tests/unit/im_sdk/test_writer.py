from hypothesis import given
from hypothesis import strategies as st

from im_proto.v1 import frame_pb2, message_pb2, session_pb2
from im_sdk._writer import Writer


def texts(data: bytes) -> list[str]:
    frames = frame_pb2.ClientFrames.FromString(data).frames
    return [frame.send.content.text.text for frame in frames]


@given(sizes=st.lists(st.integers(0, 400), max_size=30), limit=st.integers(50, 1_000))
def test_frames_are_gathered_in_order_up_to_the_limit(sizes: list[int], limit: int) -> None:
    writer = Writer(max_bytes=limit)
    sent = [f"{number}{'x' * size}" for number, size in enumerate(sizes)]
    for number, text in enumerate(sent):
        content = message_pb2.Content(text=message_pb2.Text(text=text))
        writer.put("send", message_pb2.SendRequest(content=content), number)
    taken = []
    while (data := writer.take()) is not None:
        taken.append(data)
    assert [text for data in taken for text in texts(data)] == sent
    assert all(len(data) <= limit or len(texts(data)) == 1 for data in taken)
    assert not writer


def test_a_lost_connection_forgets_what_waits() -> None:
    writer = Writer(max_bytes=100)
    writer.put("ping", session_pb2.PingRequest(), 1)
    assert writer
    writer.clear()
    assert writer.take() is None


def test_a_frame_carries_the_trace_it_is_part_of() -> None:
    writer = Writer(max_bytes=1_000)
    writer.put("ping", session_pb2.PingRequest(), 1, traceparent="00-0a-0b-01")
    writer.put("ping", session_pb2.PingRequest(), 2)
    data = writer.take()
    assert data is not None
    frames = frame_pb2.ClientFrames.FromString(data).frames
    assert [frame.traceparent for frame in frames] == ["00-0a-0b-01", ""]
