import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from im_cli.chat.clean import escaped, fitted, one_line, printable


def test_control_characters_never_reach_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x07c\x9b\u202ed") == "a\ufffd[2Jb\ufffdc\ufffd\ufffdd"


def test_line_breaks_of_every_kind_are_one_kind_and_tabs_are_spaces() -> None:
    assert printable("a\r\nb\rc\nd\te") == "a\nb\nc\nd   e"


def test_emoji_with_joiners_and_cjk_stay_whole() -> None:
    assert printable("👨‍👩‍👧 你好 é") == "👨‍👩‍👧 你好 é"


def test_one_line_has_single_spaces() -> None:
    assert one_line("  a \n\n b\tc ") == "a b c"


@pytest.mark.parametrize(
    ("text", "cells", "expected"),
    [("abc", 5, "abc  "), ("abcdef", 4, "abc…"), ("你好世界", 5, "你好…"), ("你好世界", 4, "你… "), ("abc", 0, "")],
)
def test_fitted_is_cut_or_filled(text: str, cells: int, expected: str) -> None:
    assert fitted(text, cells) == expected


@given(st.text(), st.integers(1, 40))
def test_fitted_is_exactly_as_wide_as_asked(text: str, cells: int) -> None:
    assert cell_len(fitted(one_line(text), cells)) == cells


@given(st.text())
def test_escaped_is_one_line(text: str) -> None:
    assert len(escaped(text).splitlines()) <= 1


def test_escaped_tells_a_break_from_a_backslash() -> None:
    assert escaped("a\nb\\n") == "a\\nb\\\\n"
