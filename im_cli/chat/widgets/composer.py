"""Where a message is written."""

from typing import Final

from textual import events
from textual.message import Message
from textual.widgets import TextArea

_BREAKS: Final = frozenset({"ctrl+j", "alt+enter", "shift+enter"})
_PAGES: Final = {"pageup": -1, "pagedown": 1}


class Composer(TextArea):
    """Enter sends; Alt+Enter, Shift+Enter or Ctrl+J breaks the line; ↑ in the empty one edits the last message."""

    class Submitted(Message):
        """Enter was pressed; the composer is empty now."""

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
        # All keys are handled here, in their order: as priority bindings they would overtake letters typed before them.
        key = event.key
        if key == "enter":
            text = self.text
            self.load_text("")
            self.post_message(self.Submitted(text))
        elif key in _BREAKS:
            self.insert("\n")
        elif key == "up" and not self.text:
            self.post_message(self.EditLast())
        elif key == "escape":
            self.post_message(self.Cancelled())
        elif key in _PAGES:
            self.post_message(self.Scrolled(_PAGES[key]))
        else:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
