"""Putting protobuf together from bytes."""

from hypothesis import given
from hypothesis import strategies as st

from im_infra.contract.wire import delimited, varint
from im_proto.logic.v1.stream_pb2 import LogicRequest
from im_proto.v1.frame_pb2 import ServerFrame


@given(st.integers(0, 2**64 - 1))
def test_a_varint_is_what_protobuf_writes(value: int) -> None:
    assert b"\x08" + varint(value) == (ServerFrame(request_id=value).SerializeToString() or b"\x08\x00")


@given(st.binary(max_size=20_000))
def test_a_delimited_field_is_what_protobuf_writes(content: bytes) -> None:
    assert LogicRequest.FromString(delimited(2, content)).frame == content
