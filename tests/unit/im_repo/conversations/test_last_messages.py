"""Last messages in present state."""

from typing import Any

import pytest
from sqlalchemy import Connection, event

from im_proto.v1.message_pb2 import (
    MESSAGE_TYPE_EDIT,
    MESSAGE_TYPE_NOTICE,
    MESSAGE_TYPE_RECALL,
    MESSAGE_TYPE_TEXT,
    Message,
)
from im_repo.conversations.last_messages import read_last_messages
from im_repo.conversations.windows import Span


def last(connection: Connection, *spans: Span) -> Message:
    return read_last_messages(connection, {1: spans})[1]


def test_the_last_countable_entry_is_told_whole(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.say(1, 7, "first")
    seed.say(1, 8, "second", now=55)
    seed.say(1, 0, type=MESSAGE_TYPE_NOTICE)
    message = last(connection, Span(1, 3))
    assert (message.seq, message.sender_id, message.content.text.text, message.server_time) == (2, 8, "second", 55)
    assert (message.message_id, message.count) == (10_002, 2)
    assert message.client_message_id == "00000000-0000-0000-0000-000000000002"


def test_nothing_countable_or_visible_is_absent(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.say(1, 0, type=MESSAGE_TYPE_NOTICE)
    assert read_last_messages(connection, {1: [Span(1, 1)], 2: []}) == {}


def test_it_is_the_last_within_the_union_of_the_windows(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    for text in ("one", "two", "three"):
        seed.say(1, 8, text)
    seed.say(1, 0, type=MESSAGE_TYPE_NOTICE)
    assert last(connection, Span(1, 2)).content.text.text == "two"
    assert last(connection, Span(1, 1), Span(4, 4)).content.text.text == "one"
    assert last(connection, Span(1, 1), Span(3, 4)).content.text.text == "three"


def test_an_edited_text_is_told_as_it_is_now(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.say(1, 8, "old")
    seed.say(1, 8, "new", type=MESSAGE_TYPE_EDIT, ref_seq=1, now=66)
    seed.say(1, 8, "newest", type=MESSAGE_TYPE_EDIT, ref_seq=1, now=77)
    message = last(connection, Span(1, 3))
    assert (message.seq, message.content.text.text, message.changed_seq, message.edit_time) == (1, "newest", 3, 77)


def test_edits_after_the_reader_left_did_not_happen_for_them(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.say(1, 8, "old")
    seed.say(1, 8, "new", type=MESSAGE_TYPE_EDIT, ref_seq=1, now=66)
    seed.say(1, 8, "secret", type=MESSAGE_TYPE_EDIT, ref_seq=1, now=77)
    message = last(connection, Span(1, 2))
    assert (message.content.text.text, message.changed_seq, message.edit_time) == ("new", 2, 66)
    message = last(connection, Span(1, 1))
    assert (message.content.text.text, message.changed_seq, message.edit_time) == ("old", 0, 0)


def test_an_edit_of_a_later_stay_counts_for_a_message_of_an_earlier_one(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.say(1, 8, "old")
    for text in ("while away", "back", "away again"):
        seed.say(1, 8, text, type=MESSAGE_TYPE_EDIT, ref_seq=1)
    assert last(connection, Span(1, 1), Span(3, 3)).content.text.text == "back"
    assert last(connection, Span(1, 1), Span(3, 4)).content.text.text == "away again"


def test_a_recalled_message_is_a_tombstone_even_after_an_edit(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.say(1, 8, "old")
    seed.say(1, 8, "new", type=MESSAGE_TYPE_EDIT, ref_seq=1)
    seed.say(1, 8, type=MESSAGE_TYPE_RECALL, ref_seq=1)
    message = last(connection, Span(1, 3))
    assert (message.recalled, message.changed_seq, message.HasField("content"), message.edit_time) == (
        True,
        3,
        False,
        0,
    )


def test_a_reply_whose_target_is_out_of_sight_comes_bare(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.say(1, 8, "target")
    seed.say(1, 8, "reply", ref_seq=1)
    assert last(connection, Span(1, 2)).content.text.text == "reply"
    bare = last(connection, Span(2, 2))
    assert (bare.seq, bare.ref_seq, bare.HasField("content")) == (2, 1, False)


@pytest.mark.parametrize(
    ("last_type", "told", "statements"), [(MESSAGE_TYPE_TEXT, 30, 1), (MESSAGE_TYPE_NOTICE, 29, 3)]
)
def test_the_last_of_long_logs_is_found_through_the_key(
    connection: Connection, seed: Any, last_type: int, told: int, statements: int
) -> None:
    """At the visible heads, or where those do not count, by looking back: no log is scanned, nothing sorted on disk."""
    for conversation_id in range(1, 13):
        seed.conversation(conversation_id, 7, 8)
        for number in range(1, 41):
            seed.say(
                conversation_id,
                8,
                f"{conversation_id}: {number}",
                type=last_type if number == 30 else MESSAGE_TYPE_TEXT,
            )
    asked: list[tuple[str, Any]] = []

    @event.listens_for(connection, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        asked.append((statement, parameters))

    visible = {of: [Span(1, 10), Span(20, 30)] for of in range(1, 13)}
    before = tables_on_disk(connection)
    found = read_last_messages(connection, visible)
    assert tables_on_disk(connection) == before
    assert {of: message.content.text.text for of, message in found.items()} == {of: f"{of}: {told}" for of in visible}
    selects = [one for one in asked if one[0].lstrip("(").startswith("SELECT")]
    assert len(selects) == statements
    for statement, parameters in selects:
        if connection.dialect.name == "sqlite":
            plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            steps = [step for step in plan if "message" in step or " t " in step or "TEMP B-TREE" in step]
            assert steps
            assert {step.split(" ")[0] for step in steps} == {"SEARCH"}
        else:
            steps = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).all()
            steps = [step for step in steps if step.table in {"message", "t"}]
            assert {(step.type, step.key) for step in steps} == {("range", "PRIMARY")}
            assert max(int(step.rows) for step in steps) <= len(visible), "a span's entries, not a log's"


def tables_on_disk(connection: Connection) -> int:
    """How many temporary ones this session has made so far."""
    if connection.dialect.name == "sqlite":
        return 0
    return int(connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Created_tmp_disk_tables'").one().Value)
