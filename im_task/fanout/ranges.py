"""Rules: which stretches of logs a batch of records asks to push."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries `from_seq` to `to_seq` of one conversation, both included."""

    conversation_id: int
    from_seq: int
    to_seq: int


def merge(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Join what touches or overlaps, per conversation in order of first appearance, ascending by seq.

    A record that comes again (redelivery) melts into its first copy. What lies between two stretches is not filled:
    other records carry it, and gateways order by seq.
    """
    by_conversation: dict[int, list[Stretch]] = {}
    for stretch in stretches:
        by_conversation.setdefault(stretch.conversation_id, []).append(stretch)
    merged: list[Stretch] = []
    for conversation_id, parts in by_conversation.items():
        parts.sort(key=lambda part: part.from_seq)
        first, last = parts[0].from_seq, parts[0].to_seq
        for part in parts[1:]:
            if part.from_seq <= last + 1:
                last = max(last, part.to_seq)
                continue
            merged.append(Stretch(conversation_id, first, last))
            first, last = part.from_seq, part.to_seq
        merged.append(Stretch(conversation_id, first, last))
    return merged
