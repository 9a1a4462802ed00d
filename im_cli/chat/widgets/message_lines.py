"""A row of a conversation as lines of a given width."""

from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

from im_cli.chat.clean import fitted
from im_cli.chat.rows import DividerRow, MessageRow, NoticeRow, Row
from im_cli.chat.ticks import Tick
from im_cli.chat.widgets.palette import Palette

BAR: Final = "▎"
GUTTER: Final = 10
"""Cells at the right: a space, 14:02, a space, two ticks, a space."""
LEAST_TEXT: Final = 12


def lines_of(row: Row, width: int, palette: Palette, console: Console, *, selected: bool = False) -> list[Text]:
    """The row, each line exactly `width` cells.

    Args:
        row: what to draw.
        width: cells.
        palette: colours.
        console: measures and wraps.
        selected: it is the one that keys act on.
    """
    match row:
        case DividerRow():
            lines = _divider(row, width, palette)
        case NoticeRow():
            lines = _notice(row, width, palette, console)
        case MessageRow():
            lines = _message(row, width, palette, console)
    for line in lines:
        line.truncate(width, pad=True)
        if selected:
            line.stylize(Style.parse(f"on {palette.selected}"))
    return lines


def _divider(row: DividerRow, width: int, palette: Palette) -> list[Text]:
    style = palette.new if row.new else palette.line
    label = Text(f" {row.text} ", palette.new if row.new else palette.faint)
    left = max(1, (width - label.cell_len) // 2)
    line = Text.assemble(("─" * (left - 1), style), label)
    line.append("─" * max(0, width - 1 - line.cell_len), style)
    return [Text(), Text.assemble(" ", line)]


def _notice(row: NoticeRow, width: int, palette: Palette, console: Console) -> list[Text]:
    wrapped = Text(row.text, f"italic {palette.faint}").wrap(console, max(LEAST_TEXT, width - 4))
    lines = [Text()]
    for line in wrapped:
        line.rstrip()
        lines.append(Text.assemble(" " * max(0, (width - line.cell_len) // 2), line))
    return lines


def _message(row: MessageRow, width: int, palette: Palette, console: Console) -> list[Text]:
    colour = palette.own if row.own else palette.of(row.sender_id)
    room = max(LEAST_TEXT, width - GUTTER - 2)
    lines: list[Text] = []
    if row.named:
        lines.append(Text())
        lines.append(Text.assemble((BAR, colour), " ", (fitted(row.name, room).rstrip(), f"bold {colour}")))
    if row.reply:
        lines.append(Text.assemble((BAR, colour), " ", (f"↳ {fitted(row.reply, room - 2).rstrip()}", palette.faint)))
    body = Text(row.text, f"italic {palette.faint}" if row.faint else palette.text)
    if row.edited:
        body.append(" (edited)", palette.faint)
    for number, part in enumerate(body.wrap(console, room)):
        part.rstrip()
        line = Text.assemble((BAR, colour), " ", part)
        if number == 0:
            line.pad_right(width - GUTTER - line.cell_len)
            line.append_text(_gutter(row, palette))
        lines.append(line)
    if row.failure:
        told = Text(f"Not sent: {row.failure} Enter sends it again, Delete drops it.", palette.failed)
        lines += [
            Text.assemble((BAR, palette.failed), " ", part) for part in told.wrap(console, max(LEAST_TEXT, width - 3))
        ]
    return lines


def _gutter(row: MessageRow, palette: Palette) -> Text:
    style = {Tick.READ: f"bold {palette.read}", Tick.FAILED: f"bold {palette.failed}"}.get(row.tick, palette.faint)
    text = Text.assemble(" ", (row.time, palette.faint))
    sign = row.tick.value.strip()
    if sign:
        text.append(" ")
        text.append(sign, style)
    text.append(" " * (GUTTER - cell_len(text.plain)))
    return text
