"""Who may change a group: pure rules. Repo holds the same under the lock, by the guards they word."""

from typing import NamedTuple

from im_infra import error_table
from im_logic.conversations.conversation import Conversation, ConversationKind, Place, Role
from im_logic.messaging.rules import Refusal, UserKind, may_act


class RemovalTerms(NamedTuple):
    """What has to hold under the lock for a removal."""

    actor_min_role: int
    subject_max_role: int


def may_change_members(conversation: Conversation, place: Place, user_kind: int) -> Refusal | None:
    """Whether members may be added: in a group that is open, by anybody in it but a guest."""
    refusal = _in_group(conversation, place)
    if refusal is None and user_kind == UserKind.GUEST:
        return Refusal(error_table.PERMISSION_DENIED)
    return refusal


def may_leave(conversation: Conversation, place: Place) -> Refusal | None:
    """Whether one may leave: any group that one is in."""
    return _in_group(conversation, place)


def removal_terms(conversation: Conversation, place: Place) -> RemovalTerms | Refusal:
    """Whether members may be removed: the owner removes anybody else, an admin plain members."""
    refusal = _in_group(conversation, place)
    if refusal is not None:
        return refusal
    if place.role == Role.OWNER:
        return RemovalTerms(Role.OWNER, Role.ADMIN)
    if place.role == Role.ADMIN:
        return RemovalTerms(Role.ADMIN, Role.MEMBER)
    return Refusal(error_table.PERMISSION_DENIED)


def may_dissolve(conversation: Conversation, place: Place) -> Refusal | None:
    """Whether the group may be ended: by its owner."""
    refusal = _in_group(conversation, place)
    if refusal is None and place.role != Role.OWNER:
        return Refusal(error_table.PERMISSION_DENIED)
    return refusal


def may_be_member(user_kind: int) -> bool:
    """Whether an account may be put in a group: guests may not."""
    return user_kind != UserKind.GUEST


def _in_group(conversation: Conversation, place: Place) -> Refusal | None:
    refusal = may_act(conversation, place)
    if refusal is None and conversation.kind != ConversationKind.GROUP:
        return Refusal(error_table.PERMISSION_DENIED)
    return refusal
