"""Lanes against planted violations: a load tester that cannot see a swap proves nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from im_bench.ledger.lane import CLIENTS_PULL_AFTER_S, SeenLane, SentLane, Sight


def sights(*numbers: int) -> list[Sight]:
    lane = SeenLane()
    return [lane.see(number, 0, 0.0) for number in numbers]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((1, 2, 3), [Sight.GOOD, Sight.GOOD, Sight.GOOD]),
        ((1, 1), [Sight.GOOD, Sight.DUPLICATE]),
        ((3, 3), [Sight.GAP, Sight.DUPLICATE]),
        ((1, 3), [Sight.GOOD, Sight.GAP]),
        ((2, 1), [Sight.GAP, Sight.OUT_OF_ORDER]),
        ((2, 4, 3, 1, 5), [Sight.GAP, Sight.GAP, Sight.OUT_OF_ORDER, Sight.OUT_OF_ORDER, Sight.GOOD]),
    ],
)
def test_numbers_alone_tell_what_went_wrong(numbers: tuple[int, ...], expected: list[Sight]) -> None:
    assert sights(*numbers) == expected


def test_what_comes_after_every_client_has_pulled_it_is_late_and_not_out_of_order() -> None:
    lane = SeenLane()
    lane.see(2, 0, 10.0)
    assert lane.see(1, 0, 10.0 + CLIENTS_PULL_AFTER_S + 0.1) is Sight.LATE


def test_each_hole_has_its_own_time() -> None:
    """What was pulled long ago stays late, however often numbers are skipped behind it."""
    lane = SeenLane()
    lane.see(2, 0, 10.0)
    lane.see(5, 0, 12.0)
    assert lane.see(1, 0, 12.1) is Sight.LATE
    assert lane.see(3, 0, 12.1) is Sight.OUT_OF_ORDER
    assert lane.see(4, 0, 13.1) is Sight.LATE
    lane.see(7, 0, 20.0)
    assert lane.see(6, 0, 20.1) is Sight.OUT_OF_ORDER, "a hole behind those that were filled"


def test_a_log_that_contradicts_the_sender_is_out_of_order() -> None:
    lane = SeenLane()
    assert lane.see(1, 8, 0.0) is Sight.GOOD
    assert lane.see(2, 7, 0.0) is Sight.OUT_OF_ORDER, "the first one was stored after the second"


@given(st.permutations(range(1, 12)), st.lists(st.integers(1, 11), max_size=5))
def test_each_message_is_new_once_and_only_the_ascending_order_is_good(order: list[int], repeats: list[int]) -> None:
    found = sights(*order, *repeats)
    assert found.count(Sight.DUPLICATE) == len(repeats)
    assert (Sight.OUT_OF_ORDER in found) == (order != sorted(order))


def test_a_sender_counts_from_one() -> None:
    lane = SentLane()
    assert [lane.next(), lane.next()] == [1, 2]
