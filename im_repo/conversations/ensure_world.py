"""Make the world room: the one conversation that everybody is in without a member row."""

from typing import Final

from sqlalchemy import Connection, select, update

from im_infra.sql.expressions import greatest
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD
from im_repo.conversations.make import FANOUT_LARGE, NewConversation, conversation_row
from im_repo.insert_absent import insert_absent
from im_repo.schema import CONVERSATION

WORLD_CONVERSATION_ID: Final = 1
"""Fixed, so that all processes that start at once mean the same room; snowflakes never come near it."""


def ensure_world(connection: Connection, *, title: str, slow_mode_ms: int, now: int) -> int:
    """Make the world room or bring its title and slow mode up to date, and return its id.

    Args:
        connection: inside a write transaction.
        title: for people.
        slow_mode_ms: milliseconds between two entries of a sender; 0: off.
        now: the database's time, milliseconds since the epoch.
    """
    this = CONVERSATION.c.conversation_id == WORLD_CONVERSATION_ID
    stored = connection.execute(select(CONVERSATION.c.title, CONVERSATION.c.slow_mode_ms).where(this)).one_or_none()
    if stored is None:
        new = NewConversation(
            conversation_id=WORLD_CONVERSATION_ID,
            kind=CONVERSATION_KIND_WORLD,
            fanout=FANOUT_LARGE,
            title=title,
            slow_mode_ms=slow_mode_ms,
        )
        insert_absent(connection, CONVERSATION, conversation_row(new, now))
    elif (stored.title, stored.slow_mode_ms) != (title, slow_mode_ms):
        changes = {
            "title": title,
            "slow_mode_ms": slow_mode_ms,
            "deny_version": CONVERSATION.c.deny_version + 1,  # a slower mode takes a right away
            "last_time": greatest(connection.dialect.name, CONVERSATION.c.last_time, now),
        }
        connection.execute(update(CONVERSATION).where(this).values(**changes))
    return WORLD_CONVERSATION_ID
