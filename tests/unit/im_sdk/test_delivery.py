"""Entries become events, and the list follows them."""

from collections.abc import Callable

from im_proto.v1 import message_pb2
from im_sdk._events import (
    ChangeKind,
    MessageChanged,
    MessageReceived,
    MessagesUnavailable,
    NoticeReceived,
    Unavailability,
)
from im_sdk._settings import SessionSettings
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import ModelServer

MakeDevice = Callable[..., Device]


def test_an_edit_and_a_recall(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    one, two = device(1).online(), device(2).online()
    server.append(log, 2, "helo")
    edit = message_pb2.EditMessageRequest(
        conversation_id=log.conversation_id, seq=1, text=message_pb2.Text(text="hello")
    )
    two.ask("edit_message", edit)
    two.ask("recall_message", message_pb2.RecallMessageRequest(conversation_id=log.conversation_id, seq=1))
    one.settle()
    changes = [(event.seq, event.change, event.text, event.entry_seq) for event in one.of(MessageChanged)]
    assert changes == [(1, ChangeKind.EDITED, "hello", 2), (1, ChangeKind.RECALLED, None, 3)]
    assert one.session.inbox.pictures()[0].unread == 0


def test_changes_older_than_what_is_shown_are_not_told(server: ModelServer, device: MakeDevice) -> None:
    """A read gives the present state; the edits that led to it follow in the log and say nothing new."""
    log = server.make({1, 2})
    one, two = device(1).online(), device(2).online()
    one.drop()
    server.append(log, 2, "a")
    for text in ("b", "c"):
        edit = message_pb2.EditMessageRequest(
            conversation_id=log.conversation_id, seq=1, text=message_pb2.Text(text=text)
        )
        two.ask("edit_message", edit)
    one.sleep(2)
    assert one.texts(log.conversation_id) == ["c"]
    assert one.of(MessageChanged) == []


def test_notices_change_the_list(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    added = message_pb2.MembersChange(actor_id=2, user_ids=[3, 4])
    content = message_pb2.Content(notice=message_pb2.Notice(added=added))
    server._append(log, 2, content, message_pb2.MESSAGE_TYPE_NOTICE)
    made.settle()
    assert made.of(NoticeReceived)[0].message.notice.user_ids == (3, 4)
    assert made.session.inbox.pictures()[0].member_count == 4


def test_what_the_server_has_no_more_is_said(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    made.drop()
    for number in range(1, 8):
        server.append(log, 2, f"{number}")
    log.missing = {2, 3, 7}
    made.sleep(2)
    key = log.conversation_id
    assert made.texts(key) == ["1", "4", "5", "6"]
    assert made.of(MessagesUnavailable) == [
        MessagesUnavailable(key, 2, 3, Unavailability.GONE),
        MessagesUnavailable(key, 7, 7, Unavailability.GONE),
    ]


def test_too_many_missed_entries_are_left_to_history(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device(settings=SessionSettings(catch_up_limit=4)).online()
    made.drop()
    for number in range(1, 11):
        server.append(log, 2, f"{number}")
    made.sleep(2)
    assert made.of(MessagesUnavailable) == [MessagesUnavailable(log.conversation_id, 1, 6, Unavailability.SKIPPED)]
    assert made.texts(log.conversation_id) == ["7", "8", "9", "10"]


def test_receipts_are_told_at_once_then_once_a_second_and_a_half(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    for number in range(5):
        server.append(log, 2, f"{number}")
        made.settle()
    assert server.received == {(1, log.conversation_id): 1}
    made.sleep(1.5)
    assert server.received == {(1, log.conversation_id): 5}


def test_no_receipts_where_nobody_wants_them(server: ModelServer, device: MakeDevice) -> None:
    big = server.make(set(range(1, 300)))
    made = device().online()
    server.append(big, 2, "hello")
    made.settle()
    made.sleep(2)
    assert server.received == {}


def test_an_edit_that_a_recall_blanked_says_nothing(server: ModelServer, device: MakeDevice) -> None:
    """Both came while offline: the message comes as a tombstone, and neither change is told again."""
    log = server.make({1, 2})
    one, two = device(1).online(), device(2).online()
    one.drop()
    server.append(log, 2, "a")
    edit = message_pb2.EditMessageRequest(conversation_id=log.conversation_id, seq=1, text=message_pb2.Text(text="b"))
    two.ask("edit_message", edit)
    two.ask("recall_message", message_pb2.RecallMessageRequest(conversation_id=log.conversation_id, seq=1))
    one.sleep(2)
    assert one.texts(log.conversation_id) == [None]
    assert one.of(MessageReceived)[0].message.recalled
    assert one.of(MessageChanged) == []
