"""The example in the README runs as it stands."""

import asyncio
import re
import sys
from pathlib import Path

from im_proto.v1 import conversation_pb2
from tests.sdk_support.live_server import LiveServer
from tests.sdk_support.people import eventually

SDK = Path(__file__).resolve().parents[4] / "im_sdk"


async def test_it_says_hello_and_prints_what_comes(live: LiveServer) -> None:
    world = live.model.make({1, 2}, kind=conversation_pb2.CONVERSATION_KIND_WORLD)
    live.model.world_conversation_id = world.conversation_id
    script = str(SDK / "examples/quick_start.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", script, live.url, stdout=asyncio.subprocess.PIPE
    )
    try:
        await eventually(lambda: world.entries)
        live.model.append(world, 2, "Hello, Ada!")
        live.flush()
        assert process.stdout is not None
        async with asyncio.timeout(10):
            assert await process.stdout.readline() == b"2 Hello, Ada!\n"
    finally:
        process.terminate()
        await process.wait()
    assert world.entries[0].content.text.text == "Hello, world!"


def test_the_readme_shows_the_same_in_fifteen_lines() -> None:
    shown = re.search(r"```python\n(.*?)```", (SDK / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    lines = [line.strip() for line in shown.group(1).splitlines() if line.strip()]
    assert len(lines) <= 15
    script = (SDK / "examples/quick_start.py").read_text()
    for line in lines:
        if line.startswith(("await", "async for", "if isinstance", "print")):
            assert line in script
