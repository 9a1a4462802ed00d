from datetime import UTC

import pytest
from rich.text import Text

from im_cli.chat.widgets.conversation_list import entry_text
from im_cli.chat.widgets.palette import DARK
from im_sdk import Conversation, ConversationKind
from tests.chat_support.values import NOON_MS, conversation, message, people


def entry(shown: Conversation, width: int = 28, *, current: bool = False) -> list[Text]:
    text = entry_text(shown, people(), width, DARK, now_ms=NOON_MS, zone=UTC, current=current)
    return list(text.split("\n"))


@pytest.mark.parametrize("width", [12, 28, 36])
def test_both_lines_are_exactly_as_wide_as_the_list(width: int) -> None:
    shown = conversation(
        kind=ConversationKind.GROUP, title="長い名前" * 9, unread=100, last_message=message(1, "🎉" * 40)
    )
    assert [line.cell_len for line in entry(shown, width)] == [width, width]


def test_an_entry_has_title_time_last_message_and_unread() -> None:
    first, second = (line.plain for line in entry(conversation(unread=3, last_message=message(1, "hi"))))
    assert first.split() == ["Grace", "Hopper", "12:00"]
    assert second.split() == ["hi", "3"]


def test_many_unread_and_mentions() -> None:
    assert "99+" in entry(conversation(unread=100))[1].plain
    assert "@2" in entry(conversation(unread=2, mentioned=True))[1].plain


def test_the_open_one_has_a_bar() -> None:
    assert entry(conversation(), current=True)[0].plain.startswith("▎Grace")
