"""The application: who is in, and which screen shows it."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import tzinfo
from typing import Any, ClassVar, cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.keys import Keys
from textual.screen import Screen

from im_cli.chat.commands import COMMANDS
from im_cli.chat.entry import LOGOUT_S, Door, Entrance
from im_cli.chat.screens.dialogs import ConfirmScreen
from im_cli.chat.screens.main import MainScreen
from im_cli.chat.screens.welcome import WelcomeScreen
from im_cli.chat.state_folder import Account, AccountInUseError
from im_cli.chat.widgets.palette import DARK_THEME, LIGHT_THEME
from im_cli.chat.words import words_for
from im_sdk import ImError, Tokens


class ChatApp(App[None]):
    """`im chat` on a screen. Whoever runs it calls `leave` afterwards.

    Args:
        door: the ways into the server.
        handle: the account that is wanted; empty: the last used one.
        guest: come in as a guest of this name.
        light: begin with the light theme.
        zone: for times; None: the machine's.
    """

    TITLE = "im chat"
    CSS = "ToastRack { align: right top; } Toast { max-width: 60%; }"
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q,ctrl+c", "quit", "Quit", key_display="^Q", priority=True)]

    def __init__(
        self, door: Door, *, handle: str = "", guest: str = "", light: bool = False, zone: tzinfo | None = None
    ) -> None:
        super().__init__()
        self.door = door
        self.zone = zone
        self._handle = handle
        self._guest = guest
        self._stack = AsyncExitStack()
        self._entrance: Entrance | None = None
        # Alt+Enter of terminals without Kitty's protocol, which Textual takes for Enter
        cast("dict[str, tuple[Keys, ...]]", ANSI_SEQUENCES_KEYS)["\x1b\r"] = (Keys.ControlJ,)
        self.register_theme(DARK_THEME)
        self.register_theme(LIGHT_THEME)
        self.theme = "im-light" if light else "im-dark"

    def on_mount(self) -> None:
        """Go right in, if an account is kept."""
        self.run_worker(self._begin(), name="begin")

    def get_system_commands(self, screen: Screen[object]) -> list[SystemCommand]:
        """The slash commands, in the palette."""
        if not isinstance(screen, MainScreen):
            return []
        return [
            SystemCommand(command.meaning, f"/{command.name} {command.arguments}", _starter(screen, command.name))
            for command in COMMANDS
        ]

    async def action_quit(self) -> None:
        """Leave at once; unsent messages are kept and sent at the next start."""
        self.exit()

    def action_switch_theme(self) -> None:
        """Light or dark."""
        self.theme = "im-dark" if self.theme == "im-light" else "im-light"

    async def leave(self) -> None:
        """Close what is open: the connection, the store, the lock."""
        entrance, self._entrance = self._entrance, None
        if entrance is not None:
            entrance.people.save()
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()

    async def log_out(self) -> None:
        """End the session and forget the account; back to the first screen."""
        entrance = self._entrance
        if entrance is None:
            return
        with contextlib.suppress(ImError, TimeoutError):  # not told, the session ends by itself: its tokens are gone
            async with asyncio.timeout(LOGOUT_S):
                await entrance.client.logout()
        await self._back_to_start("You are logged out.", forget=True)

    async def kicked(self, why: str, *, may_return: bool) -> None:
        """The server ended the session."""
        entrance = self._entrance
        if entrance is None:
            return
        if not may_return:
            await self._back_to_start(why, forget=True)
        elif await self.push_screen_wait(ConfirmScreen(f"{why} Take the place back?", "Come back", "Quit")):
            account = entrance.account
            await self._close_screens()
            await self._return(account, take_over=True)
        else:
            self.exit()

    # within

    async def _begin(self) -> None:
        account = self.door.folder.find(handle=self._handle, guest=self._guest)
        if account is not None:
            await self._return(account)
        elif self._guest:
            try:
                await self._enter(await self.door.guest(self._guest))
            except ImError as error:
                await self._welcome(words_for(error))
        else:
            await self._welcome("")

    async def _return(self, account: Account, *, take_over: bool = False) -> None:
        try:
            entrance = await self._stack.enter_async_context(self.door.return_as(account))
        except AccountInUseError as error:
            await self._welcome(f"{error.message}. Come in as somebody else, or close that one.")
            return
        except ImError as error:
            await self._welcome(words_for(error))
            return
        if entrance is None:
            await self.leave()
            await self._welcome("")
        else:
            self._show(entrance, take_over=take_over)

    async def _enter(self, tokens: Tokens) -> None:
        try:
            self._show(await self._stack.enter_async_context(self.door.enter(tokens)))
        except AccountInUseError as error:
            await self._welcome(f"{error.message}. Come in as somebody else, or close that one.")
        except ImError as error:
            await self._welcome(words_for(error))

    async def _welcome(self, note: str) -> None:
        tokens = await self.push_screen_wait(WelcomeScreen(self.door, handle=self._handle, note=note))
        if tokens is not None:
            await self._enter(tokens)

    def _show(self, entrance: Entrance, *, take_over: bool = False) -> None:
        self._entrance = entrance
        self.push_screen(
            MainScreen(
                entrance,
                zone=self.zone,
                take_over=take_over,
                on_kicked=lambda why, may_return: self._start(self.kicked(why, may_return=may_return)),
                on_logout=lambda: self._start(self.log_out()),
            )
        )

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self.run_worker(work, name="session")

    async def _back_to_start(self, note: str, *, forget: bool) -> None:
        entrance = self._entrance
        await self._close_screens()
        if entrance is not None and forget:
            self.door.folder.forget(entrance.account.user_id)
        self.run_worker(self._welcome(note), name="begin")

    async def _close_screens(self) -> None:
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        await self.leave()


def _starter(screen: MainScreen, name: str) -> Callable[[], None]:
    return lambda: screen.start_command(name)
