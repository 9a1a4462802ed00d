"""Who gets an entry, and in which form: a pure rule over a conversation's state."""

from collections.abc import Sequence
from typing import NamedTuple

from im_logic.conversations.conversation import Conversation


class Recipients(NamedTuple):
    """User ids by the form they get."""

    full: Sequence[int]
    bare: Sequence[int]
    """Those whose windows hold the entry but not its target."""


def recipients(conversation: Conversation, seq: int, ref_seq: int) -> Recipients:
    """Everybody whose windows hold the entry; who went out with it is among them, who came in later is not.

    Args:
        conversation: a complete state, at least as new as the entry.
        seq: the entry.
        ref_seq: its target, or 0.
    """
    steady_from = conversation.steady_from
    if seq >= steady_from and (not ref_seq or ref_seq >= steady_from):
        return Recipients(conversation.present, ())
    places = conversation.places.values()
    if not ref_seq:
        return Recipients([place.user_id for place in places if place.sees(seq)], ())
    full: list[int] = []
    bare: list[int] = []
    for place in places:
        if place.sees(seq):
            (full if place.sees(ref_seq) else bare).append(place.user_id)
    return Recipients(full, bare)
