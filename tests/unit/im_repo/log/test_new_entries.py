"""The rows and ranges that a batch adds."""

from typing import Any

from im_infra.sql.at_once import not_before
from im_repo.log.draft import Range
from im_repo.log.fanout_class import FanoutBounds
from im_repo.log.locked import LockedConversation
from im_repo.log.new_entries import NewEntries, stored

BOUNDS = FanoutBounds(both_ways_ms=100)


def row(conversation_id: int, **columns: int) -> LockedConversation:
    one = LockedConversation((conversation_id, 2, 6, 1, 0), (1, 1, 8, 5, 2, 3, 4, 50, 50, 0))
    for name, value in columns.items():
        setattr(one, name, value)
    return one


def test_entries_are_numbered_in_the_order_in_which_they_come(draft: Any) -> None:
    """Only countable ones count; times of a conversation are not this room's."""
    entries, first, second = NewEntries(), row(70), row(71)
    for conversation, countable in ((first, True), (second, True), (first, False), (first, True)):
        one = draft(conversation.conversation_id, 9, countable=countable)
        entries.add(one, conversation, 100, 77, fanout=1)
    assert [(each[0], each[1], each[2], each[9]) for each in entries.rows] == [
        (70, 9, 6, 4), (71, 9, 6, 4), (70, 10, 6, 0), (70, 11, 7, 4),
    ]  # fmt: skip
    assert entries.ranges == [Range(70, 9, 11, 1), Range(71, 9, 9, 1)]
    assert (first.max_seq, first.max_count, first.last_time) == (11, 7, 50)


def test_a_range_ends_where_the_way_changes(draft: Any) -> None:
    entries, one = NewEntries(), row(70)
    for fanout in (1, 1, 2, 2, 1):
        entries.add(draft(70, 9), one, 100, not_before(50), fanout=fanout)
    assert entries.ranges == [Range(70, 9, 10, 1), Range(70, 11, 12, 2), Range(70, 13, 13, 1)]


def test_the_answer_is_of_the_row_and_its_conversation(draft: Any) -> None:
    entries, one = NewEntries(), row(70, fanout=2, fanout_time=1_000)
    entries.add(draft(70, 9), one, 100, 1_050, fanout=2)
    answer = stored(one, entries.rows[0], 1_050, BOUNDS)
    assert (answer.conversation_id, answer.seq, answer.count, answer.message_id) == (70, 9, 6, 100)
    assert (answer.server_time, answer.member_version, answer.deny_version, answer.epoch) == (1_050, 3, 4, 6)
    assert (answer.fanout, answer.previous_fanout, answer.duplicate) == (2, 1, False)
    assert stored(one, entries.rows[0], 1_100, BOUNDS).previous_fanout == 0
    assert stored(row(70), entries.rows[0], 1_050, BOUNDS).previous_fanout == 0
