"""Processes that hold all services each, over the engines: as good a cluster as processes of one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from im_cli.cluster import state_file
from im_cli.cluster.engine_set import REQUIREMENTS
from im_cli.exit_code import ExitCode
from im_sdk import Client, MessageReceived, UnavailableError
from tests.integration.im_cli.conftest import run_im
from tests.support.engines import require

UP_S = 180
FAILOVER_S = 30


@pytest.fixture
def state(tmp_path: Path) -> Iterator[state_file.State]:
    """Of a running cluster of two."""
    require(REQUIREMENTS)
    folder = tmp_path / "cluster"
    arguments = ("--folder", folder, "--first-port", "0", "--together", "2")
    up = run_im("cluster", "up", *arguments, timeout_s=UP_S)
    assert up.returncode == ExitCode.DONE, up.stdout + up.stderr
    state = state_file.read(folder)
    assert state is not None
    yield state
    down = run_im("cluster", "down", "--folder", folder)
    assert down.returncode == ExitCode.DONE, down.stdout + down.stderr


async def login(client: Client) -> None:
    """Log ann in; a call that was under way to the dead process, or went there before that was known, is refused for now."""
    async with asyncio.timeout(FAILOVER_S):
        while True:
            try:
                await client.login("ann", "a password of ann")
            except UnavailableError:
                await asyncio.sleep(0.1)
            else:
                return


async def test_people_talk_across_processes_and_go_on_when_one_dies(state: state_file.State) -> None:
    services = {each.name: each.pid for each in state.processes if each.name in state.internal_urls}
    assert set(services) == {"together-a", "together-b"}
    one, other = state.urls
    async with Client(other) as bob, Client(other) as ann_elsewhere:
        await bob.register("bob", "a password of bob")
        await bob.connect()
        events = bob.events()

        async def heard() -> MessageReceived:
            return await anext(event async for event in events if isinstance(event, MessageReceived))

        async with Client(one) as ann:
            await ann.register("ann", "a password of ann")
            await ann.connect()
            chat = await ann.open_direct("bob")
            first = await ann.send(chat.conversation_id, "Are you there?")
            assert (await heard()).message.seq == first.seq
            psutil.Process(services["together-a"]).kill()
        await login(ann_elsewhere)
        await ann_elsewhere.connect()
        second = await ann_elsewhere.send(chat.conversation_id, "And now?")
        assert ((await heard()).message.text, second.seq) == ("And now?", first.seq + 1)
