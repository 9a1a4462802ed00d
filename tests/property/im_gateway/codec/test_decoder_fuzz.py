"""Both decoders against arbitrary and mutated input: frames or complaints come out, never an exception.

What once broke a decoder stays here as an `@example`. The long rounds run with `make faults`.
"""

import json
import random
from collections.abc import Callable
from typing import Any, Final

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from im_gateway.codec.abstract import Codec, Malformed
from im_gateway.codec.json_codec import JsonCodec
from im_gateway.codec.protobuf_codec import ProtobufCodec
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames

ROUNDS: Final = 2_000
LONG_ROUNDS: Final = 50_000
MAX_BYTES: Final = 65_536
PROTOBUF, JSON = ProtobufCodec(), JsonCodec()
_QUICK = settings(max_examples=ROUNDS, deadline=None, suppress_health_check=list(HealthCheck))
_LONG = settings(max_examples=LONG_ROUNDS, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def decodes(codec: Codec, data: bytes | str) -> None:
    """What every decoded message promises to the gateway and to logic."""
    decoded = codec.decode(data)
    assert decoded
    for frame in decoded:
        assert isinstance(frame, ClientFrame | Malformed)
        assert 0 <= frame.request_id < 1 << 64
        if isinstance(frame, ClientFrame):
            passed_on = ClientFrame.FromString(frame.SerializeToString())  # what logic reads
            assert passed_on.WhichOneof("operation") == frame.WhichOneof("operation")
        else:
            assert len(frame.message) <= 200
            frame.message.encode()  # it goes back to the client


def seed_frame(operation: str, dice: random.Random) -> ClientFrame:
    """A frame of an operation with every field filled."""
    frame = ClientFrame(request_id=dice.getrandbits(64))
    _fill(getattr(frame, operation), dice, depth=0)
    return frame


def _fill(message: Message, dice: random.Random, *, depth: int) -> None:
    message.SetInParent()
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None:
            if depth < 5:
                for _ in range(2 if field.is_repeated else 1):
                    value = getattr(message, field.name)
                    _fill(value.add() if field.is_repeated else value, dice, depth=depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).extend([_scalar(field, dice) for _ in range(2)])
        else:
            setattr(message, field.name, _scalar(field, dice))


def _scalar(field: Any, dice: random.Random) -> Any:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return bytes([65, dice.randrange(256)]) if field.type == FieldDescriptor.TYPE_BYTES else "wörds\u2028"
        case FieldDescriptor.CPPTYPE_BOOL:
            return True
        case FieldDescriptor.CPPTYPE_ENUM:
            return 1
        case FieldDescriptor.CPPTYPE_INT32:
            return dice.randrange(-(1 << 31), 1 << 31)
        case _:
            return dice.getrandbits(62)


OPERATIONS: Final = [field.name for field in ClientFrame.DESCRIPTOR.oneofs_by_name["operation"].fields]

Mutation = Callable[[bytearray, random.Random], None]


def _flip(data: bytearray, dice: random.Random) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data) + 1) :]


def _remove(data: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(data) + 1)
    del data[start : start + dice.randrange(1, 9)]


def _repeat(data: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(data) + 1)
    part = data[start : start + dice.randrange(1, 33)]
    data[start:start] = part * dice.choice((1, 2, 50))


def _insert(data: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(data) + 1)
    data[start:start] = dice.choice(_INTERESTING)


def _swap(data: bytearray, dice: random.Random) -> None:
    if len(data) > 1:
        one, two = dice.randrange(len(data)), dice.randrange(len(data))
        data[one], data[two] = data[two], data[one]


_INTERESTING: Final = (
    b"\x00", b"\xff" * 10, b"\x80" * 9 + b"\x01", b"\x0b", b"\x0c", b"\x7f" * 5, b"\xff\xff\xff\xff\x0f",
    b"{", b"[" * 40, b"}", b'"', b"\\ud800", b"null", b"1e999", b"-0", b"NaN", b"18446744073709551616", b'"@type":',
    b"\xed\xa0\x80", b"\xc0\x80", b"\xef\xbb\xbf", b'{"request_id":', b"\\u0000",
)  # fmt: skip
_MUTATIONS: Final[tuple[Mutation, ...]] = (_flip, _cut, _remove, _repeat, _insert, _swap)


def mutated(seed: int) -> tuple[bytes, bytes]:
    """Good frames, as protobuf and as JSON, after some accidents."""
    dice = random.Random(seed)
    frames = [seed_frame(dice.choice(OPERATIONS), dice) for _ in range(dice.choice((1, 1, 3)))]
    values = [json_format.MessageToDict(frame, preserving_proto_field_name=True) for frame in frames]
    binary = bytearray(ClientFrames(frames=frames).SerializeToString())
    text = bytearray(json.dumps(values if len(values) > 1 else values[0], ensure_ascii=dice.random() < 0.5).encode())
    for data in (binary, text):
        for _ in range(dice.randrange(5)):
            dice.choice(_MUTATIONS)(data, dice)
    return bytes(binary[:MAX_BYTES]), bytes(text[:MAX_BYTES])


def mutations_decode(seed: int) -> None:
    """One seed, both decoders; text that is not UTF-8 never reaches the JSON decoder."""
    binary, text = mutated(seed)
    decodes(PROTOBUF, binary)
    decodes(JSON, text.decode(errors="replace"))


def test_the_seeds_themselves_are_good_frames() -> None:
    dice = random.Random(1)
    for operation in OPERATIONS:
        frame = seed_frame(operation, dice)
        (decoded,) = PROTOBUF.decode(ClientFrames(frames=[frame]).SerializeToString())
        assert decoded == frame
        (read,) = JSON.decode(json_format.MessageToJson(frame))
        assert read == frame


@_QUICK
@given(st.binary(max_size=2_000))
@example(b"\x0b" * 20_000)
@example(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
def test_arbitrary_bytes(data: bytes) -> None:
    decodes(PROTOBUF, data)


@_QUICK
@given(st.text(st.characters(), max_size=1_000) | st.text('[]{}",:0123456789-.eE\\u nultrfasp', max_size=200))
@example("[" * 60_000)
@example('{"send":' * 8_000)
@example('{"request_id":' + "9" * 5_000 + "}")
@example('{"find_user":{"handle":"\\ud800"}}')
@example('{"\\ud800":1,"find_user":{"handle":[1]}}')
@example('{"send":{"content":{"\\ud800":1e999}}}')
def test_arbitrary_text(text: str) -> None:
    decodes(JSON, text)


@_QUICK
@given(st.integers(0, 1 << 62))
def test_mutated_frames(seed: int) -> None:
    mutations_decode(seed)


@pytest.mark.faults
@pytest.mark.timeout(900)
@_LONG
@given(st.binary(max_size=4_000))
def test_many_arbitrary_bytes(data: bytes) -> None:
    decodes(PROTOBUF, data)
    decodes(JSON, data.decode(errors="replace"))


@pytest.mark.faults
@pytest.mark.timeout(900)
@_LONG
@given(st.integers(0, 1 << 62))
def test_many_mutated_frames(seed: int) -> None:
    mutations_decode(seed)
