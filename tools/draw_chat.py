"""Draw docs/images/chat.svg: the terminal client of a real cluster, with people talking.

Usage: .venv/bin/python tools/draw_chat.py [FILE]
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from im_cli.chat.app import ChatApp
from im_cli.chat.entry import Door
from im_cli.chat.screens.main import MainScreen
from im_cli.chat.state_folder import StateFolder
from im_cli.child_cluster import child_cluster
from im_sdk import Client

SIZE = (100, 28)
PASSWORD = "analytical-engine"  # noqa: S105 - of an account that lives for seconds
DEADLINE_S = 20.0
SETTINGS = {"IM_LOGIC__WORLD__SLOW_MODE_S": "0"}


async def until(true: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(DEADLINE_S):
        while not true():  # noqa: ASYNC110 - many conditions of a client and a screen, asked as a test does
            await asyncio.sleep(0.02)


async def guest_of(stack: AsyncExitStack, url: str, handle: str, name: str) -> Client:
    """Somebody to talk with."""
    client = await stack.enter_async_context(Client(url))
    await client.register(handle, PASSWORD, display_name=name)
    await client.connect()
    return client


async def draw(url: str, state: Path) -> str:
    """The screen of Ada, while Grace is typing."""
    door = Door(url, StateFolder(state, url))
    async with AsyncExitStack() as stack:
        grace = await guest_of(stack, url, "grace", "Grace Hopper")
        annie = await guest_of(stack, url, "annie", "Annie Easley")
        async with door.enter(await door.register("ada", PASSWORD, "Ada Lovelace")):
            pass  # her login is kept; the screen goes right in
        ada = (await grace.find_user("ada")).user_id
        app = ChatApp(door)
        async with app.run_test(size=SIZE) as pilot:
            await until(lambda: isinstance(app.screen, MainScreen) and app.screen.desk.online)
            screen = app.screen
            assert isinstance(screen, MainScreen)
            await annie.send(annie.world_conversation_id, "Good morning, world 🌍")
            group = await annie.create_group("Engine room", [ada, grace.user.user_id])
            await annie.send(group.conversation_id, "The tables are printed, 20 digits each.")
            chat = (await grace.open_direct(ada)).conversation_id
            await grace.send(chat, "Good morning! Did the notes on the engine arrive?")
            await until(lambda: screen.desk.client.conversation(chat) is not None)
            screen.open(chat)

            async def say(text: str) -> None:
                before = grace.conversation(chat)
                seq = before.max_seq if before is not None else 0
                screen.desk.send(text)
                await until(lambda: (now := grace.conversation(chat)) is not None and now.max_seq > seq)

            await say("They did, all seven of them. Note G is my favourite:\nit computes the Bernoulli numbers.")
            question = await grace.send(chat, "I found a bug in it, by the way 🐛")
            await say("A real one?")
            await grace.mark_read(chat, question.seq + 1)
            await grace.send(
                chat, "An operand is swapped in the fourth operation. I wrote it down for you.", reply_to=question.seq
            )
            await grace.edit(chat, question.seq, "I found a bug in it, by the way 🐞")
            await say("Then that is the first one in history.")
            await annie.send(group.conversation_id, "Who checks the last column?")
            await until(lambda: all(c.last_message is not None for c in screen.desk.conversations()))
            await until(
                lambda: (now := screen.desk.conversation()) is not None and now.peer_received_seq == now.max_seq
            )
            await pilot.press(*"I am on my way")
            grace.typing(chat)
            await until(lambda: bool(screen.desk.typists()))
            await pilot.pause(0.2)
            picture = app.export_screenshot(title="im chat")
        await app.leave()
        return picture


def main() -> None:
    """Write the file."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/images/chat.svg")
    with child_cluster(SETTINGS) as cluster, tempfile.TemporaryDirectory() as state:
        picture = asyncio.run(draw(cluster.url, Path(state)))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(picture, encoding="utf-8")
    sys.stdout.write(f"{target}: {len(picture) // 1024} KiB\n")


if __name__ == "__main__":
    main()
