"""Find or make the private conversation of two users: one per pair, whoever asks first."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_DIRECT
from im_proto.v1.sync_pb2 import AccountEvent, Joined
from im_repo.account_events.append import append_events
from im_repo.conversations.make import NewConversation, conversation_row, insert_first_members
from im_repo.insert_absent import insert_absent
from im_repo.schema import CONVERSATION, DIRECT, USER


@dataclass(frozen=True, slots=True)
class OpenedDirect:
    """The private conversation of a pair."""

    conversation_id: int
    created: bool
    """By this call; then both users have an account event."""


def find_direct(connection: Connection, user_id: int, peer_id: int) -> int | None:
    """The private conversation of the pair, or None; in whichever order they are named."""
    found: int | None = connection.scalar(
        select(DIRECT.c.conversation_id).where(
            DIRECT.c.low_user_id == min(user_id, peer_id), DIRECT.c.high_user_id == max(user_id, peer_id)
        )
    )
    return found


def open_direct(connection: Connection, user_id: int, peer_id: int, *, new_id: int, now: int) -> OpenedDirect:
    """Find the pair's conversation or make it, with both members, their windows and their account events.

    Args:
        connection: inside a write transaction.
        user_id: who asks.
        peer_id: the other one; the same as `user_id` for the note to self.
        new_id: the id of the conversation if it has to be made.
        now: the database's time, milliseconds since the epoch.

    Raises:
        ImError: USER_NOT_FOUND: one of the two does not exist.
    """
    found = find_direct(connection, user_id, peer_id)
    if found is not None:
        return OpenedDirect(found, created=False)
    user_ids = sorted({user_id, peer_id})
    _check_users(connection, user_ids)
    pair = {"low_user_id": user_ids[0], "high_user_id": user_ids[-1], "conversation_id": new_id}
    if not insert_absent(connection, DIRECT, pair):  # another connection made it since the first look
        found = find_direct(connection, user_id, peer_id)
        assert found is not None
        return OpenedDirect(found, created=False)
    new = NewConversation(conversation_id=new_id, kind=CONVERSATION_KIND_DIRECT, member_count=len(user_ids))
    connection.execute(insert(CONVERSATION), conversation_row(new, now))
    insert_first_members(connection, new_id, user_ids, now)
    joined = AccountEvent(joined=Joined(conversation_id=new_id))
    append_events(connection, {user_id: [joined] for user_id in user_ids}, now)
    return OpenedDirect(new_id, created=True)


def _check_users(connection: Connection, user_ids: list[int]) -> None:
    found = connection.scalar(select(func.count()).select_from(USER).where(USER.c.user_id.in_(user_ids)))
    if found != len(user_ids):
        raise ImError(error_table.USER_NOT_FOUND)
