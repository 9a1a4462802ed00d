"""The terminal client's screen, driven without a terminal, against a real cluster."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from textual.pilot import Pilot

from im_cli.chat.app import ChatApp
from im_cli.chat.entry import Door
from im_cli.chat.screens.main import MainScreen
from im_cli.chat.state_folder import StateFolder
from im_cli.chat.widgets.message_log import MessageLog
from im_sdk import Client

PASSWORD = "correct horse"
DEADLINE_S = 30.0


async def until(true: Callable[[], object], what: str = "") -> None:
    """Wait for a condition."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not true():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"it did not happen: {what}") from None


def fresh_handle() -> str:
    return f"s{uuid4().hex[:10]}"


@asynccontextmanager
async def somebody(url: str, name: str = "Grace Hopper") -> AsyncIterator[Client]:
    """Another person, connected through the SDK."""
    async with Client(url) as client:
        await client.register(fresh_handle(), PASSWORD, display_name=name)
        await client.connect()
        yield client


@dataclass(frozen=True, slots=True)
class Window:
    """An open main screen."""

    app: ChatApp
    pilot: Pilot[Any]
    handle: str

    @property
    def screen(self) -> MainScreen:
        screen = self.app.screen_stack[1]
        assert isinstance(screen, MainScreen)
        return screen

    @property
    def log(self) -> MessageLog:
        return self.screen.query_one(MessageLog)

    def shown(self) -> str:
        """The text of the open conversation, and of what stands around it."""
        size = self.app.size
        return "\n".join(
            "".join(segment.text for segment in strip) for strip in self.app.screen._compositor.render_strips(size)
        )

    async def until_shown(self, part: str) -> None:
        await until(lambda: part in self.shown(), f"{part!r} on the screen:\n{self.shown()}")

    async def type(self, text: str) -> None:
        await self.pilot.press(*("enter" if letter == "\n" else letter for letter in text))


@asynccontextmanager
async def window(
    url: str, state_dir: Path, *, name: str = "Ada Lovelace", size: tuple[int, int] = (100, 30)
) -> AsyncIterator[Window]:
    """A new account's main screen, online."""
    door = Door(url, StateFolder(state_dir, url))
    handle = fresh_handle()
    async with door.enter(await door.register(handle, PASSWORD, name)):
        pass
    app = ChatApp(door)
    try:
        async with app.run_test(size=size) as pilot:
            await until(lambda: isinstance(app.screen, MainScreen) and app.screen.desk.online, "online")
            yield Window(app, pilot, handle)
    finally:
        await app.leave()
