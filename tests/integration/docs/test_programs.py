"""The example programs do what their pages say, against a real cluster."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from im_sdk import Client, MessageReceived
from tests.docs_support.blocks import ROOT
from tests.support.cluster import Cluster

WAIT_S = 20
MORE_THAN_A_PAGE = 105


@asynccontextmanager
async def program(path: str, *arguments: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running example."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", str(ROOT / path), *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(WAIT_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_with(process: asyncio.subprocess.Process, text: str) -> str:
    """The next line of a program that holds `text`."""
    assert process.stdout is not None
    while True:
        line = (await process.stdout.readline()).decode()
        assert line, "it ended"
        if text in line:
            return line.strip()


async def test_the_quick_start_says_hello_and_prints_what_others_write(cluster: Cluster, tmp_path: Path) -> None:
    async with (
        program("im_sdk/examples/quick_start.py", cluster.url, folder=tmp_path) as quick_start,
        Client(cluster.url) as other,
    ):
        await other.guest("Grace")
        await other.connect()
        printed = asyncio.create_task(line_with(quick_start, "From Grace"))
        while not printed.done():  # the quick start may not listen yet
            await other.send(other.world_conversation_id, "From Grace")
            await asyncio.wait([printed], timeout=0.5)
        assert printed.result().startswith(str(other.user.user_id))


async def test_the_minimal_client_prints_the_world_room_in_order(cluster: Cluster, tmp_path: Path) -> None:
    async with Client(cluster.url) as other:
        await other.guest("Grace")
        await other.connect()
        for _ in range(MORE_THAN_A_PAGE):
            before = await other.send(other.world_conversation_id, "Before it came")
        async with program("docs/examples/minimal_client.py", "Ada", "Its own", cluster.url, folder=tmp_path) as client:
            assert await line_with(client, f"{before.seq} Before it came") == f"{before.seq} Before it came"
            own = int((await line_with(client, "Its own")).split()[0])
            after = await other.send(other.world_conversation_id, "While it looked")
            assert await line_with(client, "While it looked") == f"{after.seq} While it looked"
            assert before.seq < own < after.seq


async def test_the_echo_bot_answers_private_messages(cluster: Cluster, tmp_path: Path) -> None:
    async with Client(cluster.url) as maker, Client(cluster.url) as person:
        await maker.register("docs_echo", "correct horse")
        async with program(
            "docs/examples/echo_bot.py", "docs_echo", "correct horse", cluster.url, folder=tmp_path
        ) as bot:
            await line_with(bot, "ready")
            await person.register("docs_person", "correct horse")
            await person.connect()
            chat = await person.open_direct("docs_echo")
            sent = await person.send(chat.conversation_id, "Anybody home?")
            async for event in person.events():
                if isinstance(event, MessageReceived) and event.message.conversation_id == chat.conversation_id:
                    assert (event.message.text, event.message.ref_seq) == ("Anybody home?", sent.seq)
                    break
