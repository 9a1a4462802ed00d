from pathlib import Path

from im_cli.chat.widgets.composer import Composer
from tests.chat_support.screen import somebody, until, window
from tests.support.cluster import Cluster


async def test_the_last_message_is_changed_from_the_empty_line(cluster: Cluster, tmp_path: Path) -> None:
    async with somebody(cluster.url) as grace, window(cluster.url, tmp_path) as ada:
        await ada.type(f"/new {grace.user.handle}\n")
        await ada.until_shown("Write the first message")
        await ada.type("helo\n")
        await ada.until_shown("✓")
        await ada.pilot.press("up")
        await ada.until_shown("Changing your message")
        await ada.pilot.press("escape")
        assert ada.screen.query_one(Composer).text == ""
        await ada.pilot.press("up", "backspace", "l", "o", "enter")
        await ada.until_shown("hello (edited)")


async def test_an_answer_shows_what_it_answers(cluster: Cluster, tmp_path: Path) -> None:
    async with somebody(cluster.url) as grace, window(cluster.url, tmp_path) as ada:
        await ada.type(f"/new {grace.user.handle}\n")
        await ada.until_shown("Write the first message")
        chat = ada.screen.desk.current
        assert chat is not None
        await grace.send(chat, "a question?")
        await until(lambda: ada.shown().count("a question?") == 2, "it stands in the list and in the conversation")
        ada.log.focus()
        await ada.pilot.press("up", "r")
        await ada.until_shown("↳ Grace Hopper: a question? · Esc")
        await ada.type("an answer\n")
        await ada.until_shown("an answer")
        await until(lambda: "Esc leaves" not in ada.shown(), "the line above is gone")
        await ada.until_shown("↳ Grace Hopper: a question?")


async def test_an_unfinished_text_waits_in_its_conversation(cluster: Cluster, tmp_path: Path) -> None:
    async with somebody(cluster.url) as grace, window(cluster.url, tmp_path) as ada:
        await ada.type(f"/new {grace.user.handle}\n")
        await ada.until_shown("Write the first message")
        chat = ada.screen.desk.current
        assert chat is not None
        await ada.type("unfinished")
        ada.screen.open(ada.screen.desk.client.world_conversation_id)
        assert ada.screen.query_one(Composer).text == ""
        ada.screen.open(chat)
        assert ada.screen.query_one(Composer).text == "unfinished"
