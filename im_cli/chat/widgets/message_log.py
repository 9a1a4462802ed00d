"""The messages of a conversation, scrolled line by line; only what is on screen is drawn."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from im_cli.chat.rows import MessageRow, Row
from im_cli.chat.widgets.message_lines import lines_of
from im_cli.chat.widgets.palette import DARK, LIGHT, Palette

NEAR_TOP: Final = 5
"""Lines from the top at which older messages are asked for."""


class MessageLog(ScrollView, can_focus=True):
    """Rows, the newest at the bottom. What is read stays where it is while rows come and go around it."""

    class WantsOlder(Message):
        """Somebody scrolled to the top."""

    class Act(Message):
        """A key was pressed on a message.

        Args:
            key: the row's.
            what: `retry`, `edit`, `recall`, `reply` or `leave`.
        """

        def __init__(self, key: str, what: str) -> None:
            super().__init__()
            self.key = key
            self.what = what

    class Typed(Message):
        """A letter was typed where no text can be."""

        def __init__(self, letter: str) -> None:
            super().__init__()
            self.letter = letter

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "select(-1)", "Earlier", show=False),
        Binding("down", "select(1)", "Later", show=False),
        Binding("end", "newest", "Newest", show=False),
        Binding("enter", "act('retry')", "Send again", show=False),
        Binding("e", "act('edit')", "Edit"),
        Binding("r", "act('reply')", "Reply"),
        Binding("delete,backspace", "act('recall')", "Take back", key_display="del"),
        Binding("escape", "act('leave')", "Back"),
    ]
    DEFAULT_CSS = """
    MessageLog { background: $background; scrollbar-size-vertical: 1; overflow-x: hidden; overflow-y: scroll; }
    MessageLog {
        scrollbar-color: $panel; scrollbar-color-hover: $secondary; scrollbar-color-active: $primary;
        scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    MessageLog:focus { background: $background; }
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._starts: list[int] = []
        """The first line of each row."""
        self._height = 0
        self._strips: dict[tuple[Row, int, bool, bool], list[Strip]] = {}
        self._selected = ""
        self._follows = True
        """It was at its end before the last change of its size."""

    @property
    def at_end(self) -> bool:
        """The newest line is on screen."""
        return self.scroll_offset.y >= self._height - self.size.height

    @property
    def selected(self) -> str:
        """The key of the row that keys act on; empty: none."""
        return self._selected if self.has_focus else ""

    def show(self, rows: Sequence[Row], *, to_end: bool = False) -> None:
        """Draw these rows; `to_end` for another conversation."""
        follow = to_end or self.at_end
        anchor = None if follow else self._anchor()
        fresh = list(rows)
        if fresh == self._rows and not to_end:
            return
        self._rows = fresh
        if to_end:
            self._selected = ""
        self._lay_out()
        if follow:
            self._scroll(self._height)
            self._follows = True
        elif anchor is not None:
            self._restore(*anchor)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        line = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if not 0 <= line < self._height:
            return Strip.blank(width, self.rich_style)
        index = bisect_right(self._starts, line) - 1
        strips = self._strips_of(self._rows[index])
        return strips[line - self._starts[index]].crop_extend(0, width, self.rich_style).apply_style(self.rich_style)

    # what happens to it

    def on_resize(self) -> None:
        """Lines break elsewhere."""
        follow = self._follows
        anchor = self._anchor()
        self._strips.clear()
        self._lay_out()
        if follow:
            self._scroll(self._height)
        elif anchor is not None:
            self._restore(*anchor)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Near the top older messages are wanted."""
        super().watch_scroll_y(old_value, new_value)
        self._follows = self.at_end
        if new_value < old_value and new_value < NEAR_TOP:
            self.post_message(self.WantsOlder())

    def on_focus(self) -> None:
        """Keys act on the newest message until another is chosen."""
        if not self._selected:
            self.action_select(-1)
        self.refresh()

    def on_blur(self) -> None:
        """Nothing is selected while typing."""
        self._selected = ""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click selects."""
        line = self.scroll_offset.y + event.y
        if 0 <= line < self._height:
            row = self._rows[bisect_right(self._starts, line) - 1]
            if isinstance(row, MessageRow):
                self._selected = row.key
                self.refresh()

    def on_key(self, event: events.Key) -> None:
        """Typing goes to where text can be."""
        if event.is_printable and event.character and event.key not in {"e", "r"}:
            event.stop()
            self.post_message(self.Typed(event.character))

    def action_select(self, step: int) -> None:
        """Choose the message above or below; below the last one it is left."""
        keys = [row.key for row in self._rows if isinstance(row, MessageRow)]
        if not keys:
            return
        try:
            place = keys.index(self._selected) + step
        except ValueError:
            place = len(keys) - 1
        if place >= len(keys):
            self.action_act("leave")
            return
        if place <= 0:
            self.post_message(self.WantsOlder())
        self._selected = keys[max(0, place)]
        self._bring_into_view(self._selected)
        self.refresh()

    def action_newest(self) -> None:
        """Go to the end."""
        self._scroll(self._height)

    def action_act(self, what: str) -> None:
        """Hand a key on."""
        self.post_message(self.Act(self._selected, what))

    # within

    @property
    def _palette(self) -> Palette:
        return DARK if self.app.current_theme.dark else LIGHT

    def _strips_of(self, row: Row) -> list[Strip]:
        width = self.scrollable_content_region.width
        selected = self.has_focus and row.key == self._selected
        key = (row, width, selected, self.app.current_theme.dark)
        strips = self._strips.get(key)
        if strips is None:
            console = self.app.console
            strips = self._strips[key] = [
                Strip(list(Segment.adjust_line_length(list(line.render(console)), width)), width)
                for line in lines_of(row, width, self._palette, console, selected=selected)
            ]
        return strips

    def _lay_out(self) -> None:
        if len(self._strips) > 4 * len(self._rows) + 200:
            self._strips.clear()
        self._starts = []
        line = 0
        if self.scrollable_content_region.width > 0:
            for row in self._rows:
                self._starts.append(line)
                line += len(self._strips_of(row))
        self._height = line
        self.virtual_size = Size(self.scrollable_content_region.width, line)
        self.refresh()

    def _anchor(self) -> tuple[str, int] | None:
        """The topmost row that stays, and how far it is from the top of the screen."""
        if not self._starts:
            return None
        top = self.scroll_offset.y
        index = bisect_right(self._starts, top) - 1
        for number in range(index, len(self._starts)):
            if isinstance(self._rows[number], MessageRow):
                return self._rows[number].key, self._starts[number] - top
        return None

    def _restore(self, key: str, distance: int) -> None:
        for row, start in zip(self._rows, self._starts, strict=False):
            if row.key == key:
                self._scroll(start - distance)
                return

    def _bring_into_view(self, key: str) -> None:
        for row, start in zip(self._rows, self._starts, strict=False):
            if row.key == key:
                end = start + len(self._strips_of(row))
                if start < self.scroll_offset.y:
                    self._scroll(start)
                elif end > self.scroll_offset.y + self.size.height:
                    self._scroll(end - self.size.height)
                return

    def _scroll(self, line: int) -> None:
        self.scroll_to(y=max(0, min(line, self._height - self.size.height)), animate=False, force=True, immediate=True)
