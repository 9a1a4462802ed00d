"""Conversations as values."""

from typing import Any

from im_logic.conversations.conversation import Conversation, ConversationKind, Membership, Place, Role
from im_logic.conversations.convert import to_conversation
from tests.logic_support.scripted_repo import group


def conversation(*user_ids: int, conversation_id: int = 5) -> Conversation:
    """A small group whose members have been in from the beginning."""
    return to_conversation(group(conversation_id, *user_ids), asked_for=0, asked_at=0.0)


def place(user_id: int, **more: Any) -> Place:
    """A plain member's place, from the beginning."""
    fields: dict[str, Any] = {"role": Role.MEMBER, "state": Membership.IN, "windows": ((1, 0),)}
    return Place(user_id, **{**fields, **more})


__all__ = ["ConversationKind", "conversation", "place"]
