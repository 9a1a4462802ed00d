"""What a reader gets of a range, and what is missing."""

from im_repo.conversations.windows import Span
from im_repo.log.span_rules import clip, merged, missing_between

STAYS = [Span(3, 5), Span(9, 12)]


def test_spans_are_clipped_to_the_range() -> None:
    assert clip(STAYS, from_seq=4, to_seq=9) == [Span(4, 5), Span(9, 9)]
    assert clip(STAYS, from_seq=6, to_seq=8) == []


def test_what_lies_between_is_missing() -> None:
    assert missing_between(STAYS, from_seq=1, to_seq=14) == [Span(1, 2), Span(6, 8), Span(13, 14)]
    assert missing_between(STAYS, from_seq=4, to_seq=5) == []
    assert missing_between(STAYS, from_seq=6, to_seq=7) == [Span(6, 7)]
    assert missing_between([], from_seq=1, to_seq=3) == [Span(1, 3)]
    assert missing_between(STAYS, from_seq=5, to_seq=4) == []


def test_spans_that_touch_or_overlap_are_one() -> None:
    assert merged([Span(1, 4), Span(3, 5), Span(6, 7), Span(9, 9)]) == [Span(1, 7), Span(9, 9)]
    assert merged([Span(1, 9), Span(2, 3)]) == [Span(1, 9)]
