"""The gap rule alone, against a log in memory."""

from hypothesis import given
from hypothesis import strategies as st

from im_sdk._gap import Lost, Track


@given(
    st.integers(0, 30),
    st.lists(st.tuples(st.sampled_from(["push", "pull"]), st.integers(1, 30), st.integers(1, 6)), max_size=80),
)
def test_pushes_and_reads_in_any_order_give_each_entry_once_in_order(
    start: int, moves: list[tuple[str, int, int]]
) -> None:
    """Entries come as pushes in any order, any number of times, and reads of any size fill what is missing."""
    size = 30
    track: Track[int] = Track(seq=start)
    given_: list[int | Lost] = []
    for move, seq, width in moves:
        if move == "push":
            given_ += track.offer(seq, seq)
        elif track.behind:
            first, last = track.gap()
            end = min(last, first + width - 1)
            given_ += track.fill([(each, each) for each in range(first, end + 1)], end=end)
    track.tell(size)
    while track.behind:
        first, last = track.gap()
        given_ += track.fill([(each, each) for each in range(first, last + 1)], end=last)
    assert given_ == list(range(start + 1, size + 1))
    assert not track.held


@given(st.sets(st.integers(1, 30)), st.lists(st.integers(1, 30), max_size=10))
def test_what_a_read_leaves_out_is_told_as_lost(present: set[int], pushed: list[int]) -> None:
    """Given entries and lost ranges together cover the log without overlap, in order."""
    track: Track[int] = Track()
    given_: list[int | Lost] = []
    for seq in pushed:
        given_ += track.offer(seq, seq)
    track.tell(30)
    given_ += track.fill([(seq, seq) for seq in present if seq > track.seq], end=30)
    covered: list[int] = []
    for item in given_:
        covered += range(item.from_seq, item.to_seq + 1) if isinstance(item, Lost) else [item]
    assert covered == list(range(1, 31))
    lost = set(covered) - {item for item in given_ if not isinstance(item, Lost)}
    assert lost.isdisjoint(present | set(pushed))
