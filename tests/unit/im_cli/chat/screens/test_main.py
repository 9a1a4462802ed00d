"""The main screen against a real cluster."""

from pathlib import Path

import pytest

from im_cli.chat.rows import MessageRow
from im_cli.chat.ticks import Tick
from im_sdk import ConnectionState
from tests.chat_support.screen import somebody, until, window
from tests.support.cluster import Cluster


async def test_messages_come_and_go_with_names_and_ticks(cluster: Cluster, tmp_path: Path) -> None:
    async with somebody(cluster.url) as grace, window(cluster.url, tmp_path) as ada:
        await ada.type(f"/new @{grace.user.handle}\n")
        await ada.until_shown("Write the first message")
        await ada.type("hello there\n")
        await ada.until_shown("✓✓")
        chat = ada.screen.desk.current
        assert chat is not None
        await until(lambda: grace.conversation(chat) is not None)
        await grace.mark_read(chat, 1)
        await until(lambda: _ticks(ada.log._rows) == [Tick.READ], "read")
        await grace.send(chat, "hi Ada 你好")
        await ada.until_shown("hi Ada 你好")
        await ada.until_shown("Grace Hopper")
        await until(lambda: (now := grace.conversation(chat)) is not None and now.peer_read_seq == 2, "read by Ada")


async def test_what_happens_elsewhere_is_counted_in_the_list(cluster: Cluster, tmp_path: Path) -> None:
    async with somebody(cluster.url) as grace, window(cluster.url, tmp_path) as ada:
        await ada.type("/world\n")
        me = ada.screen.desk.people.me.user_id
        group = await grace.create_group("Engine room", [me])
        await grace.send(group.conversation_id, "one")
        await grace.send(group.conversation_id, "two")
        await ada.until_shown("# Engine room")
        await ada.until_shown(" 2 ")
        await ada.pilot.press("ctrl+up")
        await ada.until_shown("made the group “Engine room” with you")
        await ada.until_shown("─ New ─")
        await until(lambda: _unread(ada.screen.desk.conversations()) == 0, "all read")


async def test_typing_is_shown_and_forgotten_when_the_message_comes(cluster: Cluster, tmp_path: Path) -> None:
    async with somebody(cluster.url) as grace, window(cluster.url, tmp_path) as ada:
        await ada.type(f"/new @{grace.user.handle}\n")
        await ada.until_shown("Write the first message")
        chat = ada.screen.desk.current
        assert chat is not None
        await until(lambda: grace.conversation(chat) is not None)
        grace.typing(chat)
        await ada.until_shown("Grace Hopper is typing…")
        await grace.send(chat, "done")
        await until(lambda: "is typing" not in ada.shown(), "typing forgotten")


async def test_a_long_history_is_read_as_somebody_scrolls_up(cluster: Cluster, tmp_path: Path) -> None:
    async with somebody(cluster.url) as grace, window(cluster.url, tmp_path) as ada:
        me = ada.screen.desk.people.me.user_id
        group = await grace.create_group("Long", [me])
        for number in range(130):
            await grace.send(group.conversation_id, f"line {number}")
        ada.screen.open(group.conversation_id)
        await ada.until_shown("line 129")
        thread = ada.screen.desk.thread()
        assert thread is not None
        await until(lambda: thread.fresh and not thread.fetching)
        for _ in range(40):
            await ada.pilot.press("pageup")
            await until(lambda: not thread.fetching)
        await ada.until_shown("The beginning of this conversation")
        texts = [row.text for row in ada.log._rows if isinstance(row, MessageRow)]
        assert texts == [f"line {number}" for number in range(130)]
        await grace.send(group.conversation_id, "the end")
        await until(lambda: any(getattr(row, "text", "") == "the end" for row in ada.log._rows))
        assert "the end" not in "\n".join(line[28:] for line in ada.shown().splitlines()), "reading was interrupted"


async def test_a_small_terminal_shows_everything(cluster: Cluster, tmp_path: Path) -> None:
    async with window(cluster.url, tmp_path, name="名前" * 20, size=(80, 24)) as ada:
        await ada.until_shown("^Q")
        await ada.pilot.resize_terminal(50, 12)
        await ada.until_shown("^Q")
        await ada.pilot.resize_terminal(140, 40)
        await ada.until_shown("Help")


async def test_quitting_is_at_once(cluster: Cluster, tmp_path: Path) -> None:
    async with window(cluster.url, tmp_path) as ada:
        await ada.pilot.press("ctrl+c")
        await until(lambda: not ada.app.is_running or ada.app._exit, "the end")


@pytest.mark.parametrize("line", ["/nonsense", "/group", "/add"])
async def test_a_mistake_is_told_and_can_be_corrected(cluster: Cluster, tmp_path: Path, line: str) -> None:
    async with window(cluster.url, tmp_path) as ada:
        await ada.type(f"{line}\n")
        await ada.until_shown(line)
        assert ada.app._notifications
        assert ada.screen.desk.client.state is ConnectionState.ONLINE


def _ticks(rows: object) -> list[Tick]:
    assert isinstance(rows, list)
    return [row.tick for row in rows if isinstance(row, MessageRow) and row.own]


def _unread(conversations: list[object]) -> int:
    return sum(getattr(each, "unread", 0) for each in conversations)
