import pytest
from rich.console import Console

from im_cli.chat.rows import DividerRow, MessageRow, NoticeRow, Row
from im_cli.chat.ticks import Tick
from im_cli.chat.widgets.message_lines import lines_of
from im_cli.chat.widgets.palette import DARK

CONSOLE = Console(width=200)
SAID = MessageRow("m1", 2, "Grace", own=False, named=True, text="hello", time="12:00", tick=Tick.NONE)


def drawn(row: Row, width: int = 40, *, selected: bool = False) -> list[str]:
    return [line.plain for line in lines_of(row, width, DARK, CONSOLE, selected=selected)]


@pytest.mark.parametrize("width", [20, 40, 53, 120])
@pytest.mark.parametrize(
    "row",
    [
        SAID,
        MessageRow("m", 1, "名前" * 30, own=True, named=True, text="你好世界🎉" * 30, time="12:00", tick=Tick.READ),
        MessageRow(
            "m", 1, "A", own=True, named=False, text="x" * 300, time="12:00", tick=Tick.FAILED, failure="No. " * 20
        ),
        MessageRow("m", 1, "A", own=True, named=False, text="a\n\nb", time="12:00", tick=Tick.SENT, reply="r" * 99),
        NoticeRow("n", "word " * 40),
        DividerRow("d", "Monday 2 March"),
    ],
)
def test_every_line_is_exactly_as_wide_as_the_screen(row: Row, width: int) -> None:
    for line in lines_of(row, width, DARK, CONSOLE, selected=True):
        assert line.cell_len == width, repr(line.plain)


def test_a_message_has_its_name_its_time_and_its_ticks() -> None:
    own = MessageRow("m", 1, "You", own=True, named=True, text="hi", time="12:00", tick=Tick.DELIVERED)
    assert drawn(own)[1].startswith("▎ You")
    assert drawn(own)[2] == "▎ hi" + " " * 26 + " 12:00 ✓✓ "


def test_a_grouped_message_has_no_name() -> None:
    row = MessageRow("m", 1, "You", own=True, named=False, text="hi", time="12:00", tick=Tick.SENT)
    assert len(drawn(row)) == 1


def test_a_refused_message_says_why_and_what_to_do() -> None:
    row = MessageRow("m", 1, "You", own=True, named=False, text="hi", time="12:00", tick=Tick.FAILED, failure="Muted.")
    assert "Not sent: Muted. Enter" in " ".join(" ".join(drawn(row, 80)).split())


def test_an_edited_message_says_so() -> None:
    row = MessageRow("m", 2, "Grace", own=False, named=False, text="hi", time="12:00", tick=Tick.NONE, edited=True)
    assert "hi (edited)" in drawn(row)[0]
