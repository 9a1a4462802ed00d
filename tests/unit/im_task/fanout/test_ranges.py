"""What records ask for, merged, asks for the same entries."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from im_task.fanout.ranges import Stretch, merge

STRETCHES = st.lists(
    st.builds(lambda c, f, n: Stretch(c, f, f + n), st.integers(1, 3), st.integers(1, 30), st.integers(0, 8)),
    max_size=12,
)


def entries(stretches: list[Stretch]) -> set[tuple[int, int]]:
    return {(one.conversation_id, seq) for one in stretches for seq in range(one.from_seq, one.to_seq + 1)}


@given(STRETCHES)
def test_merging_keeps_exactly_the_entries(stretches: list[Stretch]) -> None:
    assert entries(merge(stretches)) == entries(stretches)


@given(STRETCHES)
def test_merged_stretches_ascend_and_do_not_touch(stretches: list[Stretch]) -> None:
    merged = merge(stretches)
    for conversation_id in {one.conversation_id for one in merged}:
        mine = [one for one in merged if one.conversation_id == conversation_id]
        assert all(earlier.to_seq + 1 < later.from_seq for earlier, later in itertools.pairwise(mine))


def test_a_redelivered_range_melts_into_its_first_copy() -> None:
    assert merge([Stretch(1, 5, 9), Stretch(1, 5, 9), Stretch(1, 7, 12)]) == [Stretch(1, 5, 12)]
