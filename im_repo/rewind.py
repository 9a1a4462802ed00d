"""History was rewound: a backup was restored, or a replica that lagged was promoted.

What was written in between is gone, though clients have seen it. So every conversation gets a new epoch (clients drop
what lies above `rewind_seq`), numbers that clients or caches keep jump beyond anything given before, and everybody logs
in again. Run it once, before anything serves.
"""

from typing import Final, NamedTuple

from sqlalchemy import Connection, func, insert, literal, select, update
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.schema import Column

from im_infra.error_table import CloseCode
from im_infra.sql.expressions import greatest, read_now_ms
from im_repo.clock import start_generation
from im_repo.id_floor import lift_id_floor
from im_repo.schema import CONVERSATION, CURSOR, REVOCATION, SESSION, USER_STATE

JUMP: Final = 1 << 20
"""Added to numbers of which some were given after the backup: more than that many are never given between two."""
IDS_LIFTED_MS: Final = 3_600_000
"""Ids are made from an hour ahead on: some up to now were given and are forgotten."""


class Rewound(NamedTuple):
    """What was touched."""

    conversations: int
    sessions: int


def rewind(connection: Connection) -> Rewound:
    """Mark everything as rewound, in the caller's transaction."""
    now = read_now_ms(connection)
    start_generation(connection)
    conversations = _rewind_conversations(connection, now)
    _clamp_cursors(connection)
    connection.execute(update(USER_STATE).values(max_pts=USER_STATE.c.max_pts + JUMP))
    sessions = _end_all_sessions(connection, now)
    lift_id_floor(connection, now + IDS_LIFTED_MS)
    return Rewound(conversations, sessions)


def _rewind_conversations(connection: Connection, now: int) -> int:
    touched = connection.execute(
        update(CONVERSATION).values(
            epoch=CONVERSATION.c.epoch + 1,
            rewind_seq=CONVERSATION.c.max_seq,
            last_time=greatest(connection.dialect.name, CONVERSATION.c.last_time, now),
            member_version=CONVERSATION.c.member_version + JUMP,
            deny_version=CONVERSATION.c.deny_version + JUMP,
        )
    )
    return touched.rowcount


def _clamp_cursors(connection: Connection) -> None:
    """No cursor stands above the head of its log."""
    for seq, count in ((CURSOR.c.read_seq, CURSOR.c.read_count), (CURSOR.c.hide_seq, CURSOR.c.hide_count)):
        head, head_count = _of_log(CONVERSATION.c.max_seq), _of_log(CONVERSATION.c.max_count)
        connection.execute(update(CURSOR).where(seq > head).values({seq: head, count: head_count}))
    head = _of_log(CONVERSATION.c.max_seq)
    connection.execute(update(CURSOR).where(CURSOR.c.received_seq > head).values(received_seq=head))


def _end_all_sessions(connection: Connection, now: int) -> int:
    """As `end_sessions`, without bringing the sessions here: there may be millions."""
    live = SESSION.c.revoked_time == 0
    ended = select(SESSION.c.session_id, SESSION.c.generation, literal(int(CloseCode.SESSION_REVOKED)), literal(now))
    names = ["session_id", "generation", "close_code", "time"]
    connection.execute(insert(REVOCATION).from_select(names, ended.where(live)))
    touched = connection.execute(
        update(SESSION).where(live).values(revoked_time=now, generation=SESSION.c.generation + 1)
    )
    return touched.rowcount


def _of_log(column: Column[int]) -> ColumnElement[int]:
    return (
        select(func.coalesce(func.max(column), 0))
        .where(CONVERSATION.c.conversation_id == CURSOR.c.conversation_id)
        .correlate(CURSOR)
        .scalar_subquery()
    )
