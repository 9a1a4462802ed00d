"""The ledger against planted violations: a load tester that cannot see a loss proves nothing."""

from hypothesis import given
from hypothesis import strategies as st

from im_bench.ledger import Correctness, Lane, SeenSeqs


def test_messages_in_order_are_ok() -> None:
    lane = Lane()
    assert [lane.see(number) for number in (1, 2, 3)] == ["ok", "ok", "ok"]
    assert lane.seen_upto == 3


def test_a_message_twice_is_a_duplicate() -> None:
    lane = Lane()
    lane.see(1)
    assert lane.see(1) == "duplicate"


def test_a_duplicate_beyond_a_hole_is_seen() -> None:
    lane = Lane()
    lane.see(3)
    assert lane.see(3) == "duplicate"


def test_a_hole_is_a_gap() -> None:
    lane = Lane()
    lane.see(1)
    assert lane.see(3) == "gap"


def test_a_swap_is_a_gap_and_then_out_of_order() -> None:
    lane = Lane()
    assert [lane.see(number) for number in (2, 4, 3, 1)] == ["gap", "gap", "out_of_order", "ok"]
    assert lane.seen_upto == 4


def test_an_acked_message_that_never_came_stays_in_the_account() -> None:
    lane = Lane()
    for number in (1, 2, 3):
        lane.ack(number)
    lane.see(1)
    lane.see(3)
    assert lane.acked == {2}


def test_an_ack_after_the_push_leaves_nothing_open() -> None:
    lane = Lane()
    lane.see(1)
    lane.ack(1)
    assert lane.acked == set()


@given(st.permutations(range(1, 12)), st.lists(st.integers(1, 11), max_size=5))
def test_every_message_once_in_any_order_is_complete_and_repeats_are_counted(
    order: list[int], repeats: list[int]
) -> None:
    lane, counts = Lane(), Correctness()
    for number in [*order, *repeats]:
        lane.ack(number)
        counts.count(lane.see(number))
    assert lane.seen_upto == 11
    assert lane.acked == set()
    assert counts.duplicate == len(repeats)
    assert counts.clean == (not repeats and counts.out_of_order == 0)


def test_a_loss_is_not_clean() -> None:
    assert not Correctness(lost=1).clean
    assert Correctness(gap=3, resync=2, unknown=1).clean


def test_the_same_entry_again_is_a_repeat_and_the_same_message_at_another_seq_is_a_duplicate() -> None:
    seen, lane = SeenSeqs(), Lane()
    assert not seen.repeats(1, 5)
    assert lane.see(1) == "ok"
    assert seen.repeats(1, 5), "pushed again: a client drops it by its seq"
    assert not seen.repeats(1, 6)
    assert lane.see(1) == "duplicate", "stored twice: people would see it twice"
    assert Correctness(repeat=3).clean
