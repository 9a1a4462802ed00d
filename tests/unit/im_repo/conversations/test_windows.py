"""What a reader may see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from im_proto.v1.conversation_pb2 import (
    CONVERSATION_KIND_GROUP,
    CONVERSATION_KIND_WORLD,
    MEMBER_STATE_BANNED,
    MEMBER_STATE_IN,
)
from im_repo.conversations.windows import (
    WHOLE_LOG,
    Span,
    Window,
    clamp,
    is_visible,
    visible_head,
    visible_spans,
    windows_in_sight,
)


def test_an_open_window_ends_at_the_head() -> None:
    assert visible_spans([Window(3, 0)], min_seq=1, max_seq=9) == [Span(3, 9)]


def test_nothing_below_the_floor_is_visible() -> None:
    assert visible_spans([Window(1, 4), Window(6, 0)], min_seq=5, max_seq=9) == [Span(6, 9)]
    assert visible_spans([Window(1, 0)], min_seq=5, max_seq=9) == [Span(5, 9)]


def test_a_window_that_begins_after_the_head_shows_nothing() -> None:
    assert visible_spans([Window(10, 0)], min_seq=1, max_seq=9) == []
    assert visible_head([]) == 0


@pytest.mark.parametrize(("seq", "clamped"), [(1, 0), (2, 2), (4, 4), (5, 4), (7, 4), (8, 8), (9, 9), (50, 9)])
def test_a_seq_is_clamped_to_the_greatest_visible_one_at_or_below(seq: int, clamped: int) -> None:
    assert clamp(seq, [Span(2, 4), Span(8, 9)]) == clamped


windows = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 30)).map(lambda pair: Window(pair[0], pair[1] and max(pair))),
    max_size=4,
)


@given(windows, st.integers(0, 20), st.integers(0, 30), st.integers(0, 40))
def test_clamp_and_head_agree_with_the_set_of_visible_seqs(
    windows: list[Window], min_seq: int, max_seq: int, seq: int
) -> None:
    visible = {
        number
        for number in range(max(1, min_seq), max_seq + 1)
        if any(window.from_seq <= number and (not window.to_seq or number <= window.to_seq) for window in windows)
    }
    spans = visible_spans(windows, min_seq=min_seq, max_seq=max_seq)
    assert {number for number in range(50) if is_visible(number, spans)} == visible
    assert visible_head(spans) == max(visible, default=0)
    assert clamp(seq, spans) == max((number for number in visible if number <= seq), default=0)


def test_the_world_room_is_in_sight_of_everybody_who_is_not_out() -> None:
    stays = (Window(1, 7),)
    for state in (None, MEMBER_STATE_IN):
        assert windows_in_sight((), kind=CONVERSATION_KIND_WORLD, state=state) == WHOLE_LOG
    assert windows_in_sight(stays, kind=CONVERSATION_KIND_WORLD, state=MEMBER_STATE_BANNED) == stays
    assert windows_in_sight((), kind=CONVERSATION_KIND_GROUP, state=None) == ()
