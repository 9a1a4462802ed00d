"""Conversations as this process's own last commits left them: what an append at once is decided on.

A guess, and nothing more: other processes append, too, and the statements put every row to the test.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from im_repo.log.draft import Draft
from im_repo.log.locked import LockedConversation

_MOST: Final = 16_384
"""Conversations kept, some 600 bytes each; those that were appended to last."""


class KnownConversations:
    """Whoever takes conversations out gives back what it committed; after a failure they stay away."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[
            int, LockedConversation
        ] = {}  # the one that was given back last is the last; bounded by keep()

    def __len__(self) -> int:
        return len(self._known)

    def take(self, drafts: Sequence[Draft]) -> dict[int, LockedConversation] | None:
        """The conversations of all drafts, by id; None: one of them is not known. Either way none is any longer."""
        ids = {draft.conversation_id for draft in drafts}
        taken = {id_: known for id_ in ids if (known := self._known.pop(id_, None)) is not None}
        return taken if len(taken) == len(ids) else None

    def keep(self, conversations: Iterable[LockedConversation]) -> None:
        """They are committed as they are."""
        known = self._known
        for conversation in conversations:
            conversation.committed()
            known[conversation.conversation_id] = conversation
        while len(known) > self._most:
            del known[next(iter(known))]
