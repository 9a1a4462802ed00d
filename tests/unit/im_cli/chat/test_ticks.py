import pytest

from im_cli.chat.ticks import Tick, tick_of
from im_sdk import ConversationKind
from tests.chat_support.values import ME, conversation, message


@pytest.mark.parametrize(
    ("received", "read", "expected"), [(0, 0, Tick.SENT), (4, 0, Tick.SENT), (5, 0, Tick.DELIVERED), (9, 5, Tick.READ)]
)
def test_private_chats_say_how_far_a_message_came(received: int, read: int, expected: Tick) -> None:
    own = message(5, sender_id=ME.user_id)
    assert tick_of(own, conversation(peer_received_seq=received, peer_read_seq=read)) is expected


def test_groups_and_the_note_to_self_say_sent() -> None:
    own = message(5, sender_id=ME.user_id)
    assert tick_of(own, conversation(kind=ConversationKind.GROUP, peer_read_seq=9)) is Tick.SENT
    assert tick_of(own, conversation(peer_id=ME.user_id, peer_read_seq=9)) is Tick.SENT
    assert tick_of(own, None) is Tick.SENT


def test_others_and_recalled_messages_have_none() -> None:
    assert tick_of(message(5), conversation()) is Tick.NONE
    assert tick_of(message(5, sender_id=ME.user_id, recalled=True), conversation()) is Tick.NONE
