"""The first screen: log in, register, or come in as a guest."""

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Footer, Input, Label, Static, TabbedContent, TabPane

from im_cli.chat.entry import Door
from im_cli.chat.words import words_for
from im_sdk import ImError, Tokens

LEAST_PASSWORD: Final = 8


class WelcomeScreen(Screen[Tokens]):
    """Dismissed with the tokens of who came in.

    Args:
        door: the ways in.
        handle: already known.
        note: why one is here again; may be empty.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+right,f2", "next_way", "Other way in", key_display="F2"),
        Binding("ctrl+q,ctrl+c", "app.quit", "Quit", key_display="^Q", priority=True),
    ]
    CSS = """
    WelcomeScreen { align: center middle; }
    #card { width: 56; max-width: 100%; height: auto; max-height: 100%; padding: 0 2; background: $surface; }
    #brand { text-style: bold; color: $primary; margin-top: 1; }
    #server, .hint { color: $secondary; }
    #note { color: $warning; height: auto; display: none; }
    #note.shown { display: block; }
    TabPane { padding: 1 0 0 0; height: auto; }
    TabbedContent { height: auto; margin-top: 1; }
    WelcomeScreen Input { border: none; height: 1; padding: 0 1; background: $panel; margin-bottom: 1; width: 1fr; }
    WelcomeScreen Input:focus { border: none; background: $primary 25%; }
    .field { height: auto; }
    .field Label { width: 16; color: $secondary; }
    #problem { color: $error; height: auto; min-height: 2; }
    WelcomeScreen Button { margin-bottom: 1; height: 1; border: none; min-width: 12; }
    WelcomeScreen Button:focus { border: none; }
    """

    def __init__(self, door: Door, *, handle: str = "", note: str = "") -> None:
        super().__init__()
        self._door = door
        self._handle = handle.removeprefix("@")
        self._note = note
        self._busy = False

    def compose(self) -> ComposeResult:
        """Three ways in."""
        with VerticalScroll(id="card", can_focus=False):
            yield Static("im chat", id="brand")
            yield Static(self._door.url, id="server", markup=False)
            yield Static(self._note, id="note", markup=False, classes="shown" if self._note else "")
            with TabbedContent(id="ways"):
                with TabPane("Log in", id="login"):
                    yield from _field("Handle", "login-handle", self._handle)
                    yield from _field("Password", "login-password", password=True)
                    yield Button("Log in", id="login-go", variant="primary")
                with TabPane("Register", id="register"):
                    yield from _field("Handle", "register-handle", self._handle, hint="a-z, 0-9 and _, 3 to 32")
                    yield from _field("Password", "register-password", password=True, hint="8 characters or more")
                    yield from _field("Name", "register-name", hint="what others see; the handle unless given")
                    yield from _field("Invite", "register-invite", hint="only where it is asked for")
                    yield Button("Register", id="register-go", variant="primary")
                with TabPane("Guest", id="guest"):
                    yield from _field("Name", "guest-name", hint="what others see")
                    yield Static("No password: the account lasts as long as this machine keeps it.", classes="hint")
                    yield Button("Come in", id="guest-go", variant="primary")
            yield Static("", id="problem", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to type at once; the tabs' contents come a moment after the screen."""
        self.call_after_refresh(self._focus_first)

    def _focus_first(self) -> None:
        for field in self.query("#login-password" if self._handle else "#login-handle").results(Input):
            field.focus()

    def action_next_way(self) -> None:
        """The next tab, with its first field; once the focus has arrived where it was sent, which would bring its tab back."""
        self.call_after_refresh(self._next_way)

    def _next_way(self) -> None:
        ways = self.query_one("#ways", TabbedContent)
        order = ["login", "register", "guest"]
        ways.active = order[(order.index(ways.active) + 1) % len(order)]

    @on(TabbedContent.TabActivated)
    def _on_way(self, event: TabbedContent.TabActivated) -> None:
        self._tell("")
        if event.pane.id is not None:
            for field in self.query(f"#{event.pane.id} Input").results(Input):
                field.focus()
                break

    @on(Input.Submitted)
    def _on_line(self, event: Input.Submitted) -> None:
        pane = (event.input.id or "").partition("-")[0]
        fields = list(self.query(f"#{pane} Input").results(Input))
        place = fields.index(event.input)
        needed = [field for field in fields if field.id not in {"register-name", "register-invite"}]
        empty = next((field for field in needed if not field.value.strip()), None)
        if event.input in needed and place + 1 < len(fields) and empty is not None:
            fields[place + 1].focus()
        else:
            self._go(pane)

    @on(Button.Pressed)
    def _on_button(self, event: Button.Pressed) -> None:
        self._go((event.button.id or "").partition("-")[0])

    def _go(self, way: str) -> None:
        if not self._busy:
            self._busy = True
            self.run_worker(self._come_in(way), exit_on_error=True)

    async def _come_in(self, way: str) -> None:
        try:
            problem = self._mistake(way)
            self._tell(problem or "One moment …")
            if not problem:
                self.dismiss(await self._tokens(way))
        except ImError as error:
            self._tell(words_for(error))
        finally:
            self._busy = False

    def _mistake(self, way: str) -> str:
        """What to correct before the server is asked."""
        if way != "guest" and not self._value(f"{way}-handle"):
            return "Your handle is missing."
        if way != "guest" and not self._value(f"{way}-password"):
            return "Your password is missing."
        if way == "register" and len(self._value("register-password")) < LEAST_PASSWORD:
            return "A password has 8 to 256 characters. Choose another one."
        return ""

    async def _tokens(self, way: str) -> Tokens:
        match way:
            case "login":
                return await self._door.login(self._value("login-handle"), self._value("login-password"))
            case "register":
                return await self._door.register(
                    self._value("register-handle").lower(),
                    self._value("register-password"),
                    self._value("register-name"),
                    self._value("register-invite"),
                )
            case _:
                return await self._door.guest(self._value("guest-name"))

    def _value(self, name: str) -> str:
        value = self.query_one(f"#{name}", Input).value
        return value if name.endswith("password") else value.strip().removeprefix("@")

    def _tell(self, text: str) -> None:
        self.query_one("#problem", Static).update(text)


def _field(label: str, name: str, value: str = "", *, password: bool = False, hint: str = "") -> ComposeResult:
    with Horizontal(classes="field"):
        yield Label(label)
        yield Input(value, placeholder=hint, password=password, id=name)
