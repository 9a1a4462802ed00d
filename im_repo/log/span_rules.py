"""Which part of an asked range a reader gets, and what is missing from it. Rules over plain values."""

from collections.abc import Iterable, Sequence

from im_repo.conversations.windows import Span


def clip(spans: Iterable[Span], *, from_seq: int, to_seq: int) -> list[Span]:
    """What of the spans lies between the two seqs, both included; ascending if the spans are."""
    clipped = (Span(max(span.from_seq, from_seq), min(span.to_seq, to_seq)) for span in spans)
    return [span for span in clipped if span.from_seq <= span.to_seq]


def missing_between(spans: Sequence[Span], *, from_seq: int, to_seq: int) -> list[Span]:
    """What lies between the two seqs and in none of the ascending spans."""
    missing: list[Span] = []
    at = from_seq
    for span in clip(spans, from_seq=from_seq, to_seq=to_seq):
        if span.from_seq > at:
            missing.append(Span(at, span.from_seq - 1))
        at = max(at, span.to_seq + 1)
    if at <= to_seq:
        missing.append(Span(at, to_seq))
    return missing


def merged(spans: Iterable[Span]) -> list[Span]:
    """The union of ascending spans as disjoint ones."""
    union: list[Span] = []
    for span in spans:
        if union and span.from_seq <= union[-1].to_seq + 1:
            union[-1] = Span(union[-1].from_seq, max(union[-1].to_seq, span.to_seq))
        else:
            union.append(span)
    return union
