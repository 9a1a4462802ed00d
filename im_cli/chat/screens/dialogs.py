"""Small questions over the main screen."""

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

_CSS = """
{name} { align: center middle; background: $background 60%; }
{name} > .card { width: 60; max-width: 100%; height: auto; max-height: 90%; padding: 1 2; background: $surface; }
{name} .title { text-style: bold; color: $primary; margin-bottom: 1; }
{name} .hint { color: $secondary; }
{name} Input { border: none; height: 1; padding: 0 1; background: $panel; margin-bottom: 1; }
{name} Input:focus { border: none; background: $primary 25%; }
{name} Button { height: 1; border: none; min-width: 10; margin-right: 2; }
{name} Button:focus { border: none; }
{name} .buttons { height: auto; margin-top: 1; }
"""


class AskScreen(ModalScreen[tuple[str, ...] | None]):
    """Asks for one line or several; dismissed with them, or with None.

    Args:
        title: the question.
        fields: label and hint of each line.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]
    CSS = _CSS.replace("{name}", "AskScreen")

    def __init__(self, title: str, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._title = title
        self._fields = fields

    def compose(self) -> ComposeResult:
        """A title, the lines, what the keys do."""
        with Vertical(classes="card"):
            yield Static(self._title, classes="title", markup=False)
            for number, (label, hint) in enumerate(self._fields):
                yield Label(label)
                yield Input(placeholder=hint, id=f"line-{number}")
            yield Static("Enter goes on · Esc leaves", classes="hint")

    @on(Input.Submitted)
    def _on_line(self, event: Input.Submitted) -> None:
        lines = list(self.query(Input))
        place = lines.index(event.input)
        if not event.value.strip():
            return
        if place + 1 < len(lines):
            lines[place + 1].focus()
        else:
            self.dismiss(tuple(line.value.strip() for line in lines))


class ConfirmScreen(ModalScreen[bool]):
    """Asks yes or no.

    Args:
        question: a sentence.
        yes: what the button says.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "No"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]
    CSS = _CSS.replace("{name}", "ConfirmScreen")

    def __init__(self, question: str, yes: str, no: str = "Cancel") -> None:
        super().__init__()
        self._question = question
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """The question and two buttons."""
        with Vertical(classes="card"):
            yield Static(self._question, markup=False)
            with Horizontal(classes="buttons"):
                yield Button(self._yes, id="yes", variant="primary")
                yield Button(self._no, id="no")

    @on(Button.Pressed)
    def _on_button(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class ListScreen(ModalScreen[None]):
    """Shows lines of two columns: help, members.

    Args:
        title: above them.
        lines: left and right column.
        note: below them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,f1", "dismiss", "Close")]
    CSS = (
        _CSS.replace("{name}", "ListScreen")
        + """
    ListScreen > .card { width: 76; }
    ListScreen .rows { height: auto; margin-bottom: 1; }
    """
    )

    def __init__(self, title: str, lines: list[tuple[str, str]], note: str = "") -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._note = note

    def compose(self) -> ComposeResult:
        """Both columns, scrolling if they must."""
        with VerticalScroll(classes="card"):
            yield Static(self._title, classes="title", markup=False)
            yield Static(self._table(), classes="rows")
            if self._note:
                yield Static(self._note, classes="hint", markup=False)
            yield Static("Esc closes", classes="hint")

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        for left, right in self._lines:
            table.add_row(Text(left, "bold"), Text(right))
        return table
