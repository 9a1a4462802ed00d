"""What is being written: a new message, an answer, or a change of an old one."""

from typing import TYPE_CHECKING

from textual.widgets import Static

from im_cli.chat.clean import one_line
from im_cli.chat.desk import Desk
from im_cli.chat.notices import message_text
from im_cli.chat.widgets.composer import Composer
from im_sdk import Message

if TYPE_CHECKING:
    from im_cli.chat.screens.main import MainScreen


class Writing:
    """The composer's modes.

    Args:
        screen: has the composer and the line above it.
        desk: the account at work.
    """

    def __init__(self, screen: "MainScreen", desk: Desk) -> None:
        self._screen = screen
        self._desk = desk
        self._editing: Message | None = None
        self._replying: Message | None = None
        self._drafts: dict[int, str] = {}
        """Unfinished texts of conversations that were left."""

    def leave(self) -> None:
        """Another conversation is about to be opened."""
        if self._desk.current is not None and self._editing is None and self._composer.text:
            self._drafts[self._desk.current] = self._composer.text
        self._set_mode()

    def enter(self) -> None:
        """A conversation was opened."""
        self._write(self._drafts.pop(self._desk.current or 0, ""))

    def edit(self, message: Message) -> None:
        """Change an own message."""
        self._set_mode(editing=message)
        self._write(message.text or "")
        self._composer.focus()

    def reply(self, message: Message) -> None:
        """Answer a message."""
        self._set_mode(replying=message)
        self._composer.focus()

    def cancel(self) -> None:
        """Back to a new message."""
        if self._editing is not None:
            self._write("")
        self._set_mode()

    def begin(self, text: str) -> None:
        """Write this, to be completed by the person."""
        self._set_mode()
        self._write(text)
        self._composer.focus()

    def send(self, text: str) -> None:
        """Send a new message or an answer."""
        self._desk.send(text, reply_to=self._replying.seq if self._replying is not None else 0)
        self._set_mode()

    def finish_edit(self, text: str) -> bool:
        """Send the change, if one is being made; whether it was so."""
        message = self._editing
        if message is None:
            return False
        text = text.strip("\n").rstrip()
        if text and text != message.text:
            self._screen.do(self._desk.client.edit(message.conversation_id, message.seq, text))
        self._set_mode()
        return True

    @property
    def _composer(self) -> Composer:
        return self._screen.query_one(Composer)

    def _write(self, text: str) -> None:
        self._composer.load_text(text)
        self._composer.move_cursor(self._composer.document.end)

    def _set_mode(self, *, editing: Message | None = None, replying: Message | None = None) -> None:
        self._editing, self._replying = editing, replying
        line = self._screen.query_one("#mode", Static)
        if editing is not None:
            line.update("Changing your message · Enter saves · Esc leaves it")
        elif replying is not None:
            said = one_line(message_text(replying))
            line.update(f"↳ {self._desk.people.name(replying.sender_id)}: {said} · Esc leaves it")
        line.set_class(editing is not None or replying is not None, "shown")
