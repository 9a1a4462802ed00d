"""Counting confirmations."""

from typing import Any

import pytest

from im_repo.log.draft import Range
from im_repo.outbox.pending import Pending

SMALL, LARGE = 1, 2
RANGES = [Range(70, 5, 7, SMALL), Range(71, 1, 1, LARGE)]


@pytest.fixture
def pending() -> Any:
    pending = Pending(max_rows=3, sweep_after_ms=3_000, max_backoff_ms=5_000)
    pending.add(1, RANGES, now=10.0)
    return pending


def test_a_row_is_done_when_every_entry_is(pending: Any) -> None:
    pending.confirm(1, 71, from_seq=1, to_seq=1)
    pending.confirm(1, 70, from_seq=5, to_seq=6)
    assert pending.take_done(10) == []
    pending.confirm(1, 70, from_seq=7, to_seq=7)
    assert pending.is_done(1)
    assert pending.take_done(10) == [1]
    assert len(pending) == 0


def test_a_later_entry_does_not_confirm_an_earlier_one(pending: Any) -> None:
    """They may have been appended by different logic processes."""
    pending.confirm(1, 70, from_seq=0, to_seq=7)
    pending.confirm(1, 71, from_seq=0, to_seq=1)
    assert pending.again(1, RANGES, now=10.0) == [Range(70, 5, 6, SMALL)]


def test_confirming_twice_or_beyond_is_passed_over(pending: Any) -> None:
    for _ in range(2):
        pending.confirm(1, 70, from_seq=1, to_seq=99)
    pending.confirm(1, 99, from_seq=1, to_seq=1)
    pending.confirm(2, 70, from_seq=5, to_seq=7)
    assert pending.again(1, RANGES, now=10.0) == [Range(71, 1, 1, LARGE)]


def test_a_row_not_counted_is_wholly_delivered_and_counted_from_then_on() -> None:
    pending = Pending(max_rows=3, sweep_after_ms=3_000, max_backoff_ms=5_000)
    assert pending.again(9, RANGES, now=10.0) == RANGES
    pending.confirm(9, 70, from_seq=5, to_seq=7)
    assert pending.again(9, RANGES, now=10.0) == RANGES[1:]


def test_too_many_rows_are_left_to_the_sweeper(pending: Any) -> None:
    for row in (2, 3, 4):
        pending.add(row, RANGES, now=10.0)
    assert len(pending) == 3
    pending.confirm(4, 71, from_seq=1, to_seq=1)
    assert pending.again(4, RANGES, now=10.0) == RANGES


def test_rows_whose_deletion_failed_come_back(pending: Any) -> None:
    pending.add(2, [Range(70, 8, 8, SMALL)], now=10.0)
    pending.confirm(2, 70, from_seq=8, to_seq=8)
    taken = pending.take_done(10)
    assert pending.take_done(10) == []
    pending.put_back(taken)
    assert (pending.take_done(10), pending.is_done(2)) == ([2], True)
    pending.deleted(taken)
    pending.begin_look()
    assert not pending.is_done(2)


def test_what_is_deleted_while_the_sweeper_looks_is_still_known_as_done(pending: Any) -> None:
    """It may have been read before it was deleted."""
    pending.begin_look()
    pending.confirm(1, 70, from_seq=5, to_seq=7)
    pending.confirm(1, 71, from_seq=1, to_seq=1)
    pending.deleted(pending.take_done(10))
    assert pending.is_done(1)


def test_a_row_rests_from_its_commit_on_and_only_before_its_first_repetition(pending: Any) -> None:
    assert [pending.rest_ms(1, now=now) for now in (10.0, 12.0, 13.0, 99.0)] == [3_000, 1_000, 0, 0]
    assert pending.rest_ms(9, now=10.0) == 0
    pending.backoff_ms(1)
    assert pending.rest_ms(1, now=10.0) == 0


def test_waits_grow_up_to_the_longest(pending: Any) -> None:
    assert [pending.backoff_ms(1) for _ in range(4)] == [2_000, 4_000, 5_000, 5_000]
    assert pending.backoff_ms(99) == 5_000


def test_neighbours_of_one_class_are_one_range() -> None:
    pending = Pending(max_rows=3, sweep_after_ms=3_000, max_backoff_ms=5_000)
    pending.add(1, [Range(70, 1, 2, SMALL), Range(70, 3, 4, LARGE)], now=10.0)
    pending.confirm(1, 70, from_seq=0, to_seq=9)
    assert pending.again(1, [], now=10.0) == [Range(70, 1, 2, SMALL), Range(70, 3, 4, LARGE)]
