"""The unread rule, case by case."""

import pytest

from im_sdk._unread import UNREAD_LIMIT, Unread


@pytest.fixture
def unread() -> Unread:
    """Four of nine are unread."""
    made = Unread()
    made.told(4, max_seq=9, read_seq=5)
    return made


def test_what_comes_after_the_count_is_counted_on_top(unread: Unread) -> None:
    for seq in (9, 10, 12):
        unread.came(seq)
    assert unread.count == 6


def test_a_newer_count_takes_what_it_covers(unread: Unread) -> None:
    for seq in (10, 11, 12):
        unread.came(seq)
    unread.told(6, max_seq=11, read_seq=5)
    assert unread.count == 7


def test_an_older_count_changes_nothing(unread: Unread) -> None:
    unread.told(9, max_seq=8, read_seq=5)
    unread.told(9, max_seq=12, read_seq=4)
    assert (unread.count, unread.read_seq) == (4, 5)


def test_a_read_up_to_the_count_or_beyond_is_exact(unread: Unread) -> None:
    for seq in (10, 11, 12):
        unread.came(seq)
    unread.read(10)
    assert (unread.count, unread.settled) == (2, True)
    unread.read(12)
    assert unread.count == 0


def test_a_read_below_the_count_is_the_servers_to_count(unread: Unread) -> None:
    unread.came(10)
    unread.read(7)
    assert not unread.settled
    unread.came(11)
    unread.told(3, max_seq=10, read_seq=7)
    assert (unread.count, unread.settled) == (4, True)


def test_where_nothing_is_unread_a_read_needs_no_count() -> None:
    unread = Unread()
    unread.told(0, max_seq=9, read_seq=5)
    unread.read(7)
    assert unread.settled


def test_a_recall_of_what_was_counted_here_is_exact(unread: Unread) -> None:
    for seq in (10, 11):
        unread.came(seq)
    unread.recalled(10, 12)
    unread.recalled(10, 13)
    assert (unread.count, unread.settled) == (5, True)


def test_a_recall_of_what_the_server_counted_is_its_to_count(unread: Unread) -> None:
    unread.recalled(7, 11)
    assert unread.settles_at == 11
    unread.told(4, max_seq=10, read_seq=5)
    assert not unread.settled, "a count from before the recall"
    unread.told(3, max_seq=11, read_seq=5)
    assert (unread.count, unread.settled) == (3, True)


def test_a_recall_that_the_count_knew_or_of_what_is_read_changes_nothing(unread: Unread) -> None:
    unread.recalled(7, 8)
    unread.recalled(4, 11)
    assert (unread.count, unread.settled) == (4, True)


def test_a_count_from_before_a_recall_that_is_told_behind_it_is_asked_again(unread: Unread) -> None:
    """The entry came here and was taken back here; in a count of the moment between it is still."""
    unread.came(10)
    unread.recalled(10, 12)
    unread.told(5, max_seq=11, read_seq=5)
    assert unread.settles_at == 12
    unread.told(4, max_seq=12, read_seq=5)
    assert (unread.count, unread.settled) == (4, True)


def test_what_was_left_out_is_the_servers_to_count(unread: Unread) -> None:
    unread.missed(9)
    assert unread.settled
    unread.missed(30)
    assert unread.settles_at == 30
    unread.read(30)
    assert (unread.count, unread.settled) == (0, True)


def test_it_stops_at_its_limit_and_comes_back_below_it() -> None:
    unread = Unread()
    for seq in range(1, 151):
        unread.came(seq)
    assert unread.count == UNREAD_LIMIT
    unread.read(140)
    assert unread.count == 10


def test_marks_count_on(unread: Unread) -> None:
    unread.came(10)
    unread.mark(3, max_seq=20)
    unread.came(15)
    assert unread.count == 8


def test_a_read_that_did_not_reach_the_server_is_taken_back(unread: Unread) -> None:
    unread.read(9)
    unread.unread_again()
    assert (unread.read_seq, unread.settled) == (5, False)
    unread.told(4, max_seq=9, read_seq=5)
    assert (unread.count, unread.settled) == (4, True)


def test_a_rewind_forgets_the_count_but_not_what_is_read(unread: Unread) -> None:
    unread.came(10)
    unread.rewind(read_seq=3)
    assert (unread.count, unread.read_seq) == (0, 3)
    unread.told(1, max_seq=4, read_seq=3)
    assert unread.count == 1


def test_it_goes_on_from_what_was_kept(unread: Unread) -> None:
    unread.read(7)
    again = Unread()
    again.restore(count=unread.count, max_seq=9, read_seq=unread.read_seq, settled=unread.settled)
    assert (again.count, again.read_seq, again.settled) == (4, 7, False)
