"""Ranges: clamped, in pages, with what is missing."""

from typing import Any

import pytest
from sqlalchemy import Connection, update

from im_infra.errors import ImError
from im_proto.v1.message_pb2 import Content
from im_repo.log.read_range import RangeQuery, read_range
from im_repo.schema import CONVERSATION

LOG = 70


@pytest.fixture
def ask(connection: Connection) -> Any:
    return lambda user_id=1, **query: read_range(connection, RangeQuery(LOG, user_id, **query))


def seqs(found: Any) -> Any:
    return [entry.seq for entry in found.entries]


def spans(found: Any) -> Any:
    return [(span.from_seq, span.to_seq) for span in found.missing]


def test_a_page_goes_up_from_its_first(seed: Any, ask: Any) -> None:
    seed.conversation(LOG, 1)
    for _ in range(9):
        seed.say(LOG, 1)
    found = ask(from_seq=3, limit=4)
    assert (seqs(found), found.more, found.max_seq, found.floor) == ([3, 4, 5, 6], True, 9, 1)
    found = ask(from_seq=7, limit=4)
    assert (seqs(found), found.more, spans(found)) == ([7, 8, 9], False, [])


def test_a_page_goes_back_from_the_head_or_from_to_seq(seed: Any, ask: Any) -> None:
    seed.conversation(LOG, 1)
    for _ in range(9):
        seed.say(LOG, 1)
    assert (seqs(ask(limit=3)), ask(limit=3).more) == ([7, 8, 9], True)
    assert (seqs(ask(to_seq=3, limit=5)), ask(to_seq=3, limit=5).more) == ([1, 2, 3], False)
    assert seqs(ask(from_seq=2, to_seq=4)) == [2, 3, 4]


def test_limits_have_a_default_and_a_top(seed: Any, ask: Any) -> None:
    seed.conversation(LOG, 1)
    for _ in range(250):
        seed.say(LOG, 1)
    assert (len(ask(from_seq=1).entries), len(ask(from_seq=1, limit=9_999).entries)) == (100, 200)


def test_stays_are_joined_and_what_lies_between_is_missing(seed: Any, ask: Any) -> None:
    seed.conversation(LOG, 1, 2)
    for _ in range(12):
        seed.say(LOG, 1)
    seed.member(LOG, 2, (3, 5), (9, 0), state=1)
    found = ask(2, from_seq=1)
    assert (seqs(found), spans(found), found.floor) == ([3, 4, 5, 9, 10, 11, 12], [(6, 8)], 3)
    found = ask(2, from_seq=4, limit=3)
    assert (seqs(found), spans(found), found.more) == ([4, 5, 9], [(6, 8)], True)
    found = ask(2, limit=5)
    assert (seqs(found), spans(found), found.more) == ([5, 9, 10, 11, 12], [(6, 8)], True)
    found = ask(2, from_seq=6, to_seq=7)
    assert (seqs(found), spans(found), found.more) == ([], [(6, 7)], False)


def test_who_left_sees_their_stay_and_no_head_beyond(seed: Any, ask: Any) -> None:
    seed.conversation(LOG, 1, 2)
    for _ in range(9):
        seed.say(LOG, 1)
    seed.member(LOG, 2, (1, 4), state=2)
    found = ask(2)
    assert (seqs(found), found.max_seq, found.more) == ([1, 2, 3, 4], 4, False)
    assert seqs(ask(2, from_seq=5)) == []


def test_strangers_find_nothing(seed: Any, ask: Any, connection: Connection) -> None:
    seed.conversation(LOG, 1)
    for query in (RangeQuery(LOG, 9), RangeQuery(999, 1)):
        with pytest.raises(ImError) as caught:
            read_range(connection, query)
        assert caught.value.reason.name == "CONVERSATION_NOT_FOUND"


def test_everybody_reads_the_world_room(seed: Any, ask: Any) -> None:
    seed.conversation(LOG, kind=3)
    seed.say(LOG, 5)
    assert seqs(ask(99)) == [1]
    seed.member(LOG, 99, state=4)
    with pytest.raises(ImError):
        ask(99)
    assert seqs(ask(98)) == [1], "who is out is out alone"


def test_nothing_lies_below_the_floor(seed: Any, ask: Any, connection: Connection) -> None:
    seed.conversation(LOG, 1)
    for _ in range(5):
        seed.say(LOG, 1)
    connection.execute(update(CONVERSATION).values(min_seq=4, epoch=3, rewind_seq=2))
    found = ask(from_seq=1)
    assert (seqs(found), found.floor, found.epoch, found.rewind_seq, spans(found)) == ([4, 5], 4, 3, 2, [])


def test_single_seqs_are_those_in_sight(seed: Any, ask: Any) -> None:
    seed.conversation(LOG, 1, 2)
    for _ in range(6):
        seed.say(LOG, 1)
    seed.member(LOG, 2, (3, 0), state=1)
    assert seqs(ask(2, seqs=(5, 2, 3, 99))) == [3, 5]


def test_a_page_ends_with_its_bytes_but_has_one_entry_at_least(seed: Any, ask: Any) -> None:
    seed.conversation(LOG, 1)
    for _ in range(4):
        seed.say(LOG, 1, "x" * 100)
    size = len(ask(limit=1).entries[0].body)
    found = ask(from_seq=1, max_bytes=2 * size)
    assert (seqs(found), found.more) == ([1, 2], True)
    assert seqs(ask(max_bytes=1)) == [4]


def test_an_empty_log_is_an_empty_range(seed: Any, ask: Any) -> None:
    seed.conversation(LOG, 1)
    found = ask()
    assert (seqs(found), found.max_seq, found.more, spans(found)) == ([], 0, False, [])


def test_bodies_come_as_they_were_sent(seed: Any, ask: Any) -> None:
    seed.conversation(LOG, 1)
    seed.say(LOG, 1, "hello")
    assert Content.FromString(ask().entries[0].body).text.text == "hello"
