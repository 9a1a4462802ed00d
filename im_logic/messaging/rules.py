"""Who may do what to a conversation's log: pure rules over plain values.

Each rule answers None (allowed) or a `Refusal`. They are an early answer for people; repo decides again under the lock,
by the fence (`deny_version`) and the guards that go with the entry.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from im_infra import error_table
from im_infra.error_table import Reason
from im_logic.conversations.conversation import (
    STATUS_DISSOLVED,
    Conversation,
    ConversationKind,
    Membership,
    Place,
    Role,
)


class UserKind(IntEnum):
    """The kinds of accounts, with the numbers of `im.v1.UserKind`."""

    GUEST = 1
    REGISTERED = 2
    BOT = 3
    ADMIN = 4


# An enum's member costs a lookup through its class each time; the message path compares with these.
_GUEST: Final = int(UserKind.GUEST)
_IN: Final = int(Membership.IN)
_ADMIN: Final = int(Role.ADMIN)


class Refusal(NamedTuple):
    """Why not."""

    reason: Reason
    retry_after_ms: int = 0


def may_act(conversation: Conversation, place: Place) -> Refusal | None:
    """Whether the user is in and the conversation is open: the least that any change needs."""
    if place.state != _IN:
        return Refusal(error_table.NOT_A_MEMBER if place.state else error_table.CONVERSATION_NOT_FOUND)
    if conversation.status == STATUS_DISSOLVED:
        return Refusal(error_table.CONVERSATION_DISSOLVED)
    return None


def may_send(conversation: Conversation, place: Place, user_kind: int, now_ms: int) -> Refusal | None:
    """Whether a new message may be sent: in, open, not muted; guests in the world room and where they were written to."""
    refusal = may_act(conversation, place)
    if refusal is not None:
        return refusal
    if place.muted_until_time > now_ms:
        return Refusal(error_table.MUTED, place.muted_until_time - now_ms)
    if user_kind == _GUEST and not _guest_may_send(conversation):
        return Refusal(error_table.PERMISSION_DENIED)
    return None


def _guest_may_send(conversation: Conversation) -> bool:
    """In the world room, and in a private chat that has an entry: a guest opens none, so the other one wrote it."""
    if conversation.kind == ConversationKind.WORLD:
        return True
    return conversation.kind == ConversationKind.DIRECT and conversation.max_seq > 0


def may_type(
    conversation: Conversation, place: Place, user_kind: int, now_ms: int, *, max_members: int
) -> Refusal | None:
    """Whether typing is told: whoever may send, in private chats and groups up to a size."""
    if conversation.kind == ConversationKind.WORLD or conversation.member_count > max_members:
        return Refusal(error_table.PERMISSION_DENIED)
    return may_send(conversation, place, user_kind, now_ms)


def slow_mode_ms(conversation: Conversation, place: Place, user_kind: int, *, guest_ms: int) -> int:
    """The gap between two messages of this user here; 0: none. Moderators are not slowed, guests always are."""
    if user_kind == _GUEST:
        return max(conversation.slow_mode_ms, guest_ms if conversation.kind == ConversationKind.WORLD else 0)
    slow_mode_ms = conversation.slow_mode_ms
    if slow_mode_ms and (place.role >= _ADMIN or user_kind == UserKind.ADMIN):
        return 0
    return slow_mode_ms


def may_recall_others(conversation: Conversation, place: Place, user_kind: int) -> bool:
    """Whether messages of others may be recalled, whatever their age: admins of a group, and who runs the server."""
    if conversation.kind == ConversationKind.DIRECT:
        return False
    return place.role >= Role.ADMIN or (conversation.kind == ConversationKind.WORLD and user_kind == UserKind.ADMIN)
