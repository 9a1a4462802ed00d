"""What is unread."""

from typing import Any

import pytest
from sqlalchemy import Connection

from im_proto.v1.message_pb2 import MESSAGE_TYPE_EDIT, MESSAGE_TYPE_NOTICE, MESSAGE_TYPE_RECALL
from im_repo.conversations.span_query import LogSpan
from im_repo.conversations.unread import (
    MANY,
    Readable,
    Unread,
    count_unread,
    read_unread,
    unread_count,
    unread_span,
)
from im_repo.conversations.windows import Span

ME, OTHER, HERE = 7, 8, 1


def readable(to_seq: int, *, read: int = 0, from_seq: int = 1, counted: int | None = None) -> Readable:
    """By default every entry after the read cursor counts."""
    return Readable(ME, HERE, [Span(from_seq, to_seq)], read, to_seq - read if counted is None else counted)


def test_nothing_is_scanned_where_nothing_counts_after_the_cursor() -> None:
    assert unread_span(readable(9, read=9)) is None
    assert unread_span(readable(9, read=4, counted=0)) is None
    assert unread_span(Readable(ME, HERE, [], 0, 5)) is None


def test_only_what_lies_after_the_cursor_and_within_the_newest_window_is_scanned() -> None:
    assert unread_span(readable(9, read=4)) == LogSpan(HERE, 5, 9, ME)
    assert unread_span(readable(9, read=2, from_seq=6)) == LogSpan(HERE, 6, 9, ME)
    assert unread_span(Readable(ME, HERE, [Span(1, 3), Span(8, 9)], 2, 4)) == LogSpan(HERE, 8, 9, ME)


def test_at_most_200_rows_are_scanned() -> None:
    assert unread_span(readable(1_000, read=4)) == LogSpan(HERE, 801, 1_000, ME)


@pytest.mark.parametrize(
    ("counted", "countable", "others", "told"),
    [
        (996, 200, 200, MANY),  # more than was scanned
        (996, 200, 3, MANY),  # the same, whoever sent what was scanned
        (40, 40, 30, 30),  # the scan saw all that counts, though not all rows
        (150, 150, 120, MANY),
    ],
)
def test_what_the_scan_did_not_reach_makes_many(counted: int, countable: int, others: int, told: int) -> None:
    asked = readable(1_000, read=4, counted=counted)
    span = unread_span(asked)
    assert span is not None
    assert unread_count(asked, span, countable=countable, others=others) == told


def test_a_cursor_that_lies_before_the_window_does_not_make_many() -> None:
    """Its running count covers entries that the reader never sees."""
    asked = readable(1_000, read=0, from_seq=990, counted=1_000)
    span = unread_span(asked)
    assert span == LogSpan(HERE, 990, 1_000, ME)
    assert unread_count(asked, span, countable=11, others=11) == 11


def test_own_recalled_and_uncountable_entries_are_not_counted(connection: Connection, seed: Any) -> None:
    seed.conversation(HERE, ME, OTHER)
    seed.say(HERE, OTHER)
    seed.say(HERE, ME)
    recalled = seed.say(HERE, OTHER)
    seed.say(HERE, OTHER, type=MESSAGE_TYPE_RECALL, ref_seq=recalled)
    seed.say(HERE, 0, type=MESSAGE_TYPE_NOTICE)
    last = seed.say(HERE, OTHER)
    assert count_unread(connection, [readable(last, counted=4)]) == [2]


@pytest.mark.parametrize(("entries", "told"), [(99, 99), (100, 100), (101, 100), (250, 100)])
def test_it_is_exact_up_to_99(connection: Connection, seed: Any, entries: int, told: int) -> None:
    seed.conversation(HERE, ME, OTHER)
    for _ in range(entries):
        seed.say(HERE, OTHER)
    assert count_unread(connection, [readable(entries)]) == [told]


def test_counts_come_in_the_order_of_the_questions(connection: Connection, seed: Any) -> None:
    seed.conversation(HERE, ME, OTHER)
    for _ in range(60):
        seed.say(HERE, OTHER)
    assert count_unread(connection, [readable(60, read=read) for read in range(61)]) == list(range(60, -1, -1))
    assert count_unread(connection, []) == []


@pytest.mark.parametrize(
    ("mentions", "mentioned"), [((ME,), True), ((OTHER, ME), True), ((0,), True), ((OTHER,), False), ((), False)]
)
def test_a_mention_of_me_or_of_everybody_is_marked(
    connection: Connection, seed: Any, mentions: tuple[int, ...], mentioned: bool
) -> None:
    seed.conversation(HERE, ME, OTHER)
    seed.say(HERE, OTHER, mentions=mentions)
    seed.say(HERE, OTHER, "sixteen letters!")  # its length makes the byte that mentions are told by
    assert read_unread(connection, [readable(2)]) == [Unread(2, mentioned=mentioned)]


def test_read_own_and_recalled_mentions_are_not_marked(connection: Connection, seed: Any) -> None:
    seed.conversation(HERE, ME, OTHER)
    seed.say(HERE, OTHER, mentions=(ME,))
    seed.say(HERE, ME, mentions=(0,))
    recalled = seed.say(HERE, OTHER, mentions=(ME,))
    seed.say(HERE, OTHER, type=MESSAGE_TYPE_RECALL, ref_seq=recalled)
    last = seed.say(HERE, OTHER)
    assert read_unread(connection, [readable(last, read=1, counted=3)]) == [Unread(1, mentioned=False)]


def test_an_edit_may_add_and_take_away_a_mention(connection: Connection, seed: Any) -> None:
    seed.conversation(HERE, ME, OTHER)
    first = seed.say(HERE, OTHER)
    last = seed.say(HERE, OTHER, type=MESSAGE_TYPE_EDIT, ref_seq=first, mentions=(ME,))
    assert read_unread(connection, [readable(last, counted=1)]) == [Unread(1, mentioned=True)]
    last = seed.say(HERE, OTHER, type=MESSAGE_TYPE_EDIT, ref_seq=first)
    assert read_unread(connection, [readable(last, counted=1)]) == [Unread(1, mentioned=False)]
