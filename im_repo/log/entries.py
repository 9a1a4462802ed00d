"""Reading entries as `im.repo.v1.LogEntry`, as they lie: rows to messages of the contract."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from im_proto.repo.v1.stream_pb2 import Entries, LogEntry
from im_repo.log.convert import to_member_effect
from im_repo.log.notice import changes_of
from im_repo.log.values import FLAG_PURGED, FLAG_RECALLED, TYPE_NOTICE
from im_repo.schema import CONVERSATION, MESSAGE

AnyRow = Row[*tuple[Any, ...]]

ENTRY_COLUMNS: Final = (
    MESSAGE.c.conversation_id,
    MESSAGE.c.seq,
    MESSAGE.c["count"].label("count_"),
    MESSAGE.c.message_id,
    MESSAGE.c.sender_id,
    MESSAGE.c.client_message_id,
    MESSAGE.c.type,
    MESSAGE.c.ref_seq,
    MESSAGE.c.flags,
    MESSAGE.c.edit_seq,
    MESSAGE.c.changed_seq,
    MESSAGE.c.server_time,
    MESSAGE.c.body,
)
MAX_ENTRIES: Final = 1_000
"""A request for more is answered with the first of them; an outbox row has at most one batch of entries."""


def read_entries(connection: Connection, conversation_id: int, *, from_seq: int, to_seq: int) -> Entries:
    """Entries for fan-out: unclamped, with what they did to the members.

    Their member_version is the conversation's present one: whoever is behind it looks at the members again, which is
    right for a late delivery too.
    """
    state = connection.execute(
        select(CONVERSATION.c.epoch, CONVERSATION.c.member_version).where(
            CONVERSATION.c.conversation_id == conversation_id
        )
    ).one_or_none()
    if state is None:
        return Entries()
    rows = read_rows(connection, conversation_id, from_seq=from_seq, to_seq=to_seq, limit=MAX_ENTRIES, back=False)
    entries = Entries(epoch=state.epoch, member_version=state.member_version)
    for row in rows:
        entry = to_entry(row)
        if row.type == TYPE_NOTICE and (changes := changes_of(row.body)):
            entry.member_version = state.member_version
            entry.changed.extend(to_member_effect(change) for change in changes)
        entries.entries.append(entry)
    return entries


def to_entry(row: AnyRow) -> LogEntry:
    """The entry as it lies; its body is empty where it was recalled or purged."""
    return LogEntry(
        conversation_id=row.conversation_id,
        seq=row.seq,
        count=row.count_,
        message_id=row.message_id,
        sender_id=row.sender_id,
        client_message_id=row.client_message_id,
        type=row.type,
        ref_seq=row.ref_seq,
        server_time=row.server_time,
        body=b"" if row.flags & (FLAG_RECALLED | FLAG_PURGED) else row.body,
        changed_seq=row.changed_seq,
        recalled=bool(row.flags & FLAG_RECALLED),
    )


def read_rows(
    connection: Connection, conversation_id: int, *, from_seq: int, to_seq: int, limit: int, back: bool
) -> Sequence[AnyRow]:
    """At most `limit` rows between two seqs, from the lower one up or from the upper one down."""
    values = {"of_conversation": conversation_id, "from_seq": from_seq, "to_seq": to_seq, "at_most": limit}
    return connection.execute(_DOWN if back else _UP, values).all()


_STRETCH: Final = (  # constants, as every pull asks them
    select(*ENTRY_COLUMNS)
    .where(
        MESSAGE.c.conversation_id == bindparam("of_conversation"),
        MESSAGE.c.seq.between(bindparam("from_seq"), bindparam("to_seq")),
    )
    .limit(bindparam("at_most"))
)
_UP: Final = _STRETCH.order_by(MESSAGE.c.seq.asc())
_DOWN: Final = _STRETCH.order_by(MESSAGE.c.seq.desc())
