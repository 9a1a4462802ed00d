"""Make a conversation's row, and the places of its first members."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert

from im_proto.v1.conversation_pb2 import (
    CONVERSATION_STATUS_OPEN,
    MEMBER_ROLE_MEMBER,
    MEMBER_STATE_IN,
)
from im_repo.schema import MEMBER, MEMBER_WINDOW

FANOUT_SMALL: Final = 1
FANOUT_LARGE: Final = 2
FIRST_SEQ: Final = 1
FIRST_VERSION: Final = 1
"""Versions and epochs start here: 0 means "not asked" in the contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConversation:
    """What differs between the conversations that are made."""

    conversation_id: int
    kind: int  # a value of im.v1.ConversationKind
    fanout: int = FANOUT_SMALL
    title: str = ""
    owner_id: int = 0
    slow_mode_ms: int = 0
    member_count: int = 0


def conversation_row(new: NewConversation, now: int) -> dict[str, object]:
    """The row of an empty, open conversation.

    Args:
        new: what is particular.
        now: the database's time, milliseconds since the epoch.
    """
    return {
        "conversation_id": new.conversation_id,
        "kind": new.kind,
        "status": CONVERSATION_STATUS_OPEN,
        "fanout": new.fanout,
        "epoch": FIRST_VERSION,
        "rewind_seq": 0,
        "max_seq": 0,
        "max_count": 0,
        "min_seq": FIRST_SEQ,
        "member_count": new.member_count,
        "member_version": FIRST_VERSION,
        "deny_version": FIRST_VERSION,
        "last_time": now,
        "active_time": now,
        "fanout_time": 0,
        "slow_mode_ms": new.slow_mode_ms,
        "owner_id": new.owner_id,
        "title": new.title,
    }


def insert_first_members(connection: Connection, conversation_id: int, user_ids: Sequence[int], now: int) -> None:
    """Put plain members in who see the log from its beginning."""
    connection.execute(
        insert(MEMBER),
        [
            {
                "conversation_id": conversation_id,
                "user_id": user_id,
                "role": MEMBER_ROLE_MEMBER,
                "state": MEMBER_STATE_IN,
                "muted_until_time": 0,
                "joined_time": now,
                "left_time": 0,
                "version": FIRST_VERSION,
            }
            for user_id in user_ids
        ],
    )
    connection.execute(
        insert(MEMBER_WINDOW),
        [
            {"conversation_id": conversation_id, "user_id": user_id, "from_seq": FIRST_SEQ, "to_seq": 0}
            for user_id in user_ids
        ],
    )
