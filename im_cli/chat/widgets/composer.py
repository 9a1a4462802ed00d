"""Where a message is written."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea


class Composer(TextArea):
    """Enter sends; Alt+Enter, Shift+Enter or Ctrl+J breaks the line; ↑ in the empty one edits the last message."""

    class Submitted(Message):
        """Enter was pressed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class EditLast(Message):
        """↑ was pressed in the empty composer."""

    class Cancelled(Message):
        """Escape was pressed."""

    class Scrolled(Message):
        """A page up (-1) or down (1) of the messages is wanted."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+enter,ctrl+j,shift+enter", "break_line", "New line", show=False, priority=True),
        Binding("pageup", "scroll_log(-1)", "Earlier", show=False, priority=True),
        Binding("pagedown", "scroll_log(1)", "Later", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    Composer {
        height: auto; min-height: 1; max-height: 6; border: none; padding: 0 1; background: $surface;
        scrollbar-size-vertical: 1;
    }
    Composer:focus { border: none; background: $surface; }
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(
            id=id, soft_wrap=True, show_line_numbers=False, tab_behavior="focus", highlight_cursor_line=False
        )

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.post_message(self.Submitted(self.text))
        elif event.key == "up" and not self.text:
            event.stop()
            event.prevent_default()
            self.post_message(self.EditLast())
        elif event.key == "escape":
            event.stop()
            event.prevent_default()
            self.post_message(self.Cancelled())
        else:
            await super()._on_key(event)

    def action_break_line(self) -> None:
        """Start a new line."""
        self.insert("\n")

    def action_scroll_log(self, direction: int) -> None:
        """Scroll the messages without leaving the text."""
        self.post_message(self.Scrolled(direction))
