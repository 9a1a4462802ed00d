"""The latest entries of a large conversation."""

from hypothesis import given
from hypothesis import strategies as st

from im_gateway.delivery.ring import Ring, RingBudget, RingEntry


def entry(seq: int, size: int = 10) -> RingEntry:
    return RingEntry(seq, 0, b"x" * size, b"")


def filled(count: int, *, max_entries: int = 64, max_bytes: int = 10_000) -> Ring:
    ring = Ring(max_entries, max_bytes)
    for seq in range(1, count + 1):
        ring.add(entry(seq))
    return ring


def test_a_range_is_whole_or_nothing() -> None:
    ring = filled(5)
    found = ring.range(2, 4)
    assert found is not None
    assert [each.seq for each in found] == [2, 3, 4]
    assert ring.range(0, 3) is None
    assert ring.range(4, 6) is None
    assert Ring(4, 100).range(1, 1) is None


def test_number_and_bytes_are_bounded() -> None:
    assert filled(10, max_entries=3).range(8, 10) is not None
    assert filled(10, max_entries=3).range(7, 10) is None
    assert filled(10, max_bytes=25).bytes <= 25


def test_a_hole_starts_it_anew() -> None:
    ring = filled(3)
    ring.add(entry(7))
    assert ring.range(3, 3) is None
    assert ring.range(7, 7) is not None


def test_a_changed_entry_takes_those_before_it_along() -> None:
    ring = filled(5)
    ring.evict(3)
    assert ring.range(3, 5) is None
    assert ring.range(4, 5) is not None
    ring.evict(99)
    assert ring.range(4, 5) is not None


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 400)), max_size=60))
def test_all_rings_together_are_bounded(steps: list[tuple[int, int]]) -> None:
    budget = RingBudget(1000)
    rings: dict[int, Ring] = {}
    for seq, (conversation_id, size) in enumerate(steps):
        ring = rings.setdefault(conversation_id, Ring(64, 800))
        ring.add(entry(seq, size))
        budget.touched(conversation_id, ring)
        assert budget.bytes == sum(each.bytes for each in rings.values())
        assert budget.bytes <= 1000
    for conversation_id in rings:
        budget.forget(conversation_id)
    assert budget.bytes == 0
