"""What of a log a reader may see: the union of the windows of their stays. Rules over plain values."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD, MEMBER_STATE_IN


class Window(NamedTuple):
    """A stay, as it lies in `member_window`."""

    from_seq: int
    """First visible."""
    to_seq: int
    """Last visible; 0: still open."""


class Span(NamedTuple):
    """Seqs `from_seq` to `to_seq`, both included and both real."""

    from_seq: int
    to_seq: int


WHOLE_LOG = (Window(1, 0),)
"""Everything: the world room, where no member row is needed."""


def windows_in_sight(stays: tuple[Window, ...], *, kind: int, state: int | None) -> tuple[Window, ...]:
    """What somebody with these stays may see: in the world room everything, unless they are out.

    Args:
        stays: theirs.
        kind: a value of im.v1.ConversationKind.
        state: a value of im.v1.MemberState; None: they have no member row.
    """
    return WHOLE_LOG if kind == CONVERSATION_KIND_WORLD and state in {None, MEMBER_STATE_IN} else stays


def visible_spans(windows: Iterable[Window], *, min_seq: int, max_seq: int) -> list[Span]:
    """The windows between the log's floor and head, ascending; those of which nothing is left are dropped."""
    spans = (
        Span(max(window.from_seq, min_seq, 1), min(window.to_seq or max_seq, max_seq)) for window in sorted(windows)
    )
    return [span for span in spans if span.from_seq <= span.to_seq]


def visible_head(spans: Sequence[Span]) -> int:
    """The last visible seq; 0: nothing is."""
    return max((span.to_seq for span in spans), default=0)


def clamp(seq: int, spans: Sequence[Span]) -> int:
    """The greatest visible seq at or below `seq`; 0: there is none."""
    return max((min(seq, span.to_seq) for span in spans if span.from_seq <= seq), default=0)


def is_visible(seq: int, spans: Sequence[Span]) -> bool:
    """Whether `seq` lies in one of the spans."""
    return any(span.from_seq <= seq <= span.to_seq for span in spans)
