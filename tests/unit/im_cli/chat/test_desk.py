"""The model against a cluster that stops and comes back: nothing is lost, nothing is shown twice."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from im_cli.chat.desk import Desk
from im_cli.chat.entry import Door
from im_cli.chat.state_folder import StateFolder
from im_sdk import Client, ConnectionState
from tests.chat_support.screen import PASSWORD, fresh_handle, until
from tests.support.cluster import FAST


@contextmanager
def serving(data_dir: Path, port: int) -> Iterator[None]:
    """A cluster on a port that stays the same."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IM_")}
    process = subprocess.Popen(
        [
            sys.executable, "-m", "im_cli.main", "up", "--data-dir", str(data_dir), "--port", str(port),
            "--internal-port", "0", "--log-level", "error",
        ],
        stdout=subprocess.DEVNULL, env={**inherited, **FAST},
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(15)


@asynccontextmanager
async def at_work(url: str, state: Path) -> AsyncIterator[Desk]:
    door = Door(url, StateFolder(state, url))
    async with door.enter(await door.register(fresh_handle(), PASSWORD)) as entrance:
        desk = Desk(
            entrance.client, entrance.store, entrance.people,
            on_change=lambda: None, on_problem=lambda _text: None, on_kicked=lambda _why, _may_return: None,
        )  # fmt: skip
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(desk.run())
            await until(lambda: desk.online, "online")
            yield desk
            await entrance.client.close()


async def test_a_restart_of_the_server_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as people, AsyncExitStack() as first:
        first.enter_context(serving(tmp_path / "data", port))
        await until(lambda: _listens(port), "the server")
        grace = await people.enter_async_context(Client(url))
        await grace.register(fresh_handle(), PASSWORD)
        await grace.connect()
        desk = await people.enter_async_context(at_work(url, tmp_path / "state"))
        chat = (await grace.open_direct(desk.people.me.user_id)).conversation_id
        await grace.send(chat, "one")
        await until(lambda: desk.client.conversation(chat) is not None, "the chat")
        desk.open(chat)
        desk.send("two")
        await until(lambda: _texts(desk) == ["one", "two"] and not _waiting(desk), "both")

        await first.aclose()
        await until(lambda: desk.connection.state is ConnectionState.WAITING, "offline")
        desk.send("three, while nobody listens")
        assert _waiting(desk) == ["three, while nobody listens"]

        people.enter_context(serving(tmp_path / "data", port))
        await until(lambda: not _waiting(desk), "sent after all")
        await grace.send(chat, "four")
        await until(lambda: len(_texts(desk)) >= 4, "what came after")
        assert _texts(desk) == ["one", "two", "three, while nobody listens", "four"]
        seen = [message.text async for message in grace.history(chat, after=0)]
        assert seen == _texts(desk)


def _waiting(desk: Desk) -> list[str]:
    thread = desk.thread()
    return [pending.text for pending in thread.waiting()] if thread is not None else []


def _texts(desk: Desk) -> list[str | None]:
    thread = desk.thread()
    return [message.text for message in thread.messages()] if thread is not None else []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
