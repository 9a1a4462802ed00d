"""Ranges against a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from im_bench.ledger.ranges import Ranges


@given(st.lists(st.integers(1, 30)), st.integers(0, 10))
def test_any_order_of_adding_is_what_a_set_would_be(numbers: list[int], start: int) -> None:
    ranges, plain = Ranges(start), set(range(start + 1))
    for number in numbers:
        assert ranges.add(number) == (number not in plain)
        plain.add(number)
    assert all((number in ranges) == (number in plain) for number in range(35))
    assert len(ranges) == len(plain) - start - 1
    told = [number for first, last in ranges.ranges() for number in range(first, last + 1)]
    assert told == sorted(number for number in plain if number > start)
    assert ranges.lacking([(start + 1, 34)]) == [number for number in range(start + 1, 35) if number not in plain]
    assert ranges.whole == (len(ranges.ranges()) <= 1 and (not told or told[0] == start + 1))


def test_ranges_are_as_few_as_can_be() -> None:
    ranges = Ranges()
    for number in (1, 2, 5, 6, 9):
        ranges.add(number)
    assert ranges.ranges() == [(1, 2), (5, 6), (9, 9)]
    assert ranges.lacking([(1, 3), (8, 9)]) == [3, 8]
