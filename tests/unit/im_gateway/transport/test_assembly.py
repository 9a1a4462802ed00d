"""Putting fragmented messages together."""

import pytest

from im_gateway.transport.assembly import Assembly, Opcode, TooLargeError, ViolationError, close_answer, decode_text


def test_fragments_make_one_message_of_the_first_ones_kind() -> None:
    assembly = Assembly(100)
    assert assembly.feed(Opcode.TEXT, b"ab", final=False) is None
    assert assembly.feed(Opcode.CONTINUATION, b"", final=False) is None
    assert assembly.feed(Opcode.CONTINUATION, b"c", final=True) == (Opcode.TEXT, b"abc")
    assert assembly.feed(Opcode.BINARY, b"d", final=True) == (Opcode.BINARY, b"d")


def test_a_continuation_of_nothing_is_a_violation() -> None:
    with pytest.raises(ViolationError) as violation:
        Assembly(100).feed(Opcode.CONTINUATION, b"", final=True)
    assert violation.value.code == 1002


def test_a_new_message_inside_another_is_a_violation() -> None:
    assembly = Assembly(100)
    assembly.feed(Opcode.BINARY, b"a", final=False)
    with pytest.raises(ViolationError):
        assembly.feed(Opcode.BINARY, b"b", final=True)


def test_the_cap_counts_the_whole_message() -> None:
    assembly = Assembly(4)
    assembly.feed(Opcode.BINARY, b"abc", final=False)
    with pytest.raises(TooLargeError):
        assembly.feed(Opcode.CONTINUATION, b"de", final=False)


def test_text_is_utf_8() -> None:
    assert decode_text("é".encode()) == "é"
    with pytest.raises(ViolationError) as violation:
        decode_text(b"\xc3")
    assert violation.value.code == 1007


@pytest.mark.parametrize(
    ("code", "answer"), [(None, 1000), (1000, 1000), (1011, 1011), (4500, 4500), (0, 1002), (1005, 1002), (1006, 1002)]
)
def test_a_close_is_answered_with_its_own_code_if_that_may_be_said(code: int | None, answer: int) -> None:
    assert close_answer(code) == answer
