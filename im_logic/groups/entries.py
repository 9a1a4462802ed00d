"""The log entries of a group's changes, and the ids of those that follow one another."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID, uuid5

from im_logic.conversations.conversation import Membership
from im_proto.repo.v1.stream_pb2 import AppendItem
from im_proto.v1.message_pb2 import MESSAGE_TYPE_NOTICE, Content, Notice

MEMBERS_AN_ENTRY: Final = 100
"""Members one transaction may change: a bound on how long a conversation's lock is held."""

_UNCHANGED: Final = -1


def word_notice(item: AppendItem, notice: Notice) -> None:
    """Make an item a notice: it has a seq and does not count as unread."""
    item.type = MESSAGE_TYPE_NOTICE
    item.body = Content(notice=notice).SerializeToString()


def come_in(item: AppendItem, user_ids: Iterable[int], *, role: int) -> None:
    """Let users in; whatever mute they had before stays."""
    for user_id in user_ids:
        item.effects.members.add(user_id=user_id, state=Membership.IN, role=role, muted_until_time=_UNCHANGED)


def go_out(item: AppendItem, user_id: int, state: Membership) -> None:
    """Take a user out."""
    item.effects.members.add(user_id=user_id, state=state, muted_until_time=_UNCHANGED)


def chunks(user_ids: Sequence[int]) -> list[Sequence[int]]:
    """User ids in portions that one entry may carry."""
    return [user_ids[start : start + MEMBERS_AN_ENTRY] for start in range(0, len(user_ids), MEMBERS_AN_ENTRY)]


def following_id(operation_id: bytes, number: int) -> bytes:
    """The id of an operation's further entry: the same at every repetition."""
    return uuid5(UUID(bytes=operation_id), str(number)).bytes
