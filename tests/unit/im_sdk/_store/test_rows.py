"""The store's SQL on real files."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from im_proto.v1 import message_pb2
from im_sdk import ChangeKind, ConversationRewound, MessageChanged, MessageKind
from im_sdk._models import Conversation, ConversationKind, Membership, Message, Role
from im_sdk._outbox import Draft
from im_sdk._store import rows
from im_sdk._store.progress import Progress
from im_sdk._sync import SyncPoint


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = rows.open_file(str(tmp_path / "store"))
    yield opened
    opened.close()


def message(seq: int, text: str = "text") -> Message:
    return Message(1, seq, seq, 2, "", 0, MessageKind.TEXT, text, (), None, None, 0, 0, 0, False, False)


def conversation(max_seq: int = 5) -> Conversation:
    return Conversation(
        1, ConversationKind.GROUP, "T", 0, False, 2, Role.MEMBER, Membership.IN, False, max_seq, 0, 0, 0, False, 0, 0,
        0, None,
    )  # fmt: skip


def step(*log: Message | MessageChanged | ConversationRewound, seq: int = 0, settled: tuple[str, ...] = ()) -> Progress:
    cursors = {1: (1, seq)} if seq else {}
    return Progress(SyncPoint(3, 4, 5), list(log), {1: conversation()} if seq else {}, cursors, list(settled))


def texts(connection: sqlite3.Connection) -> list[str | None]:
    return [each.text for each in rows.messages(connection, 1, None, 50)]


def test_an_empty_file_is_a_beginning(connection: sqlite3.Connection) -> None:
    snapshot = rows.load(connection)
    assert snapshot.point.is_start
    assert snapshot.cursors == {}
    assert snapshot.drafts == ()


def test_a_step_is_there_after_reopening(tmp_path: Path) -> None:
    first = rows.open_file(str(tmp_path / "store"))
    rows.apply(first, [step(message(1), message(2, "two"), seq=2)], keep_messages=10)
    first.close()
    second = rows.open_file(str(tmp_path / "store"))
    snapshot = rows.load(second)
    assert snapshot.point == SyncPoint(3, 4, 5)
    assert snapshot.cursors == {1: (1, 2)}
    assert [each.title for each in snapshot.conversations] == ["T"]
    assert texts(second) == ["text", "two"]
    second.close()


def test_a_step_is_whole_or_not_at_all(connection: sqlite3.Connection) -> None:
    broken = step(message(1), seq=1)
    broken.settled = [object()]  # type: ignore[list-item]
    with pytest.raises(sqlite3.Error):
        rows.apply(connection, [broken], keep_messages=10)
    assert rows.load(connection).cursors == {}
    assert texts(connection) == []


def test_drafts_keep_their_order_and_may_have_been_written(connection: sqlite3.Connection) -> None:
    for name in ("b", "a", "c"):
        rows.keep_draft(connection, Draft(1, name, message_pb2.Content(text=message_pb2.Text(text=name)), ref_seq=7))
    rows.rename_draft(connection, "a", "new")
    rows.apply(connection, [step(settled=("b",))], keep_messages=10)
    drafts = rows.load(connection).drafts
    assert [(each.client_message_id, each.attempt, each.ref_seq) for each in drafts] == [("new", 1, 7), ("c", 1, 7)]
    assert drafts[0].content.text.text == "a"


def test_changes_are_applied_when_they_are_newer(connection: sqlite3.Connection) -> None:
    edit = MessageChanged(1, 1, ChangeKind.EDITED, "edited", 2, 99, entry_seq=5)
    older = replace(edit, text="older", entry_seq=4)
    unknown = replace(edit, seq=77)
    rows.apply(connection, [step(message(1), edit, older, unknown)], keep_messages=10)
    kept = rows.messages(connection, 1, None, 5)[0]
    assert (kept.text, kept.changed_seq, kept.edit_time) == ("edited", 5, 99)
    recall = replace(edit, change=ChangeKind.RECALLED, text=None, entry_seq=6)
    rows.apply(connection, [step(recall)], keep_messages=10)
    kept = rows.messages(connection, 1, None, 5)[0]
    assert (kept.text, kept.recalled) == (None, True)


def test_a_rewind_takes_messages_back(connection: sqlite3.Connection) -> None:
    rows.apply(
        connection, [step(message(1), message(2), ConversationRewound(1, 1), message(2, "again"))], keep_messages=10
    )
    assert texts(connection) == ["text", "again"]


def test_only_the_newest_are_kept(connection: sqlite3.Connection) -> None:
    rows.apply(connection, [step(*(message(seq, f"{seq}") for seq in range(1, 8)), seq=7)], keep_messages=3)
    assert texts(connection) == ["5", "6", "7"]


def test_messages_are_read_in_pages(connection: sqlite3.Connection) -> None:
    rows.apply(connection, [step(*(message(seq, f"{seq}") for seq in range(1, 8)))], keep_messages=30)
    assert [each.text for each in rows.messages(connection, 1, 5, 2)] == ["3", "4"]


def test_a_conversation_that_is_not_ours_any_more_goes(connection: sqlite3.Connection) -> None:
    rows.apply(connection, [step(message(1), seq=1)], keep_messages=10)
    rows.apply(connection, [Progress(SyncPoint(), conversations={1: None})], keep_messages=10)
    assert rows.load(connection).conversations == ()
    assert texts(connection) == []


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    opened = rows.open_file(str(tmp_path / "store"))
    opened.execute("PRAGMA user_version = 99")
    opened.close()
    with pytest.raises(rows.StoreVersionError):
        rows.open_file(str(tmp_path / "store"))
