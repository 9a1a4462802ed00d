"""Every table, once, for SQLite, MySQL and MariaDB.

Times are `…_time`, int64 milliseconds since the epoch by the database's clock. There is no row per recipient per
message anywhere: a group message is one row whatever the size of the group. Keys begin with the conversation or the
user, so that a MySQL-protocol cluster can shard them.
"""

from typing import Final

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint, literal_column
from sqlalchemy import text as text_clause

from im_infra.bus.tables import BUS_RECORD
from im_infra.discovery.tables import WORKER_LEASE
from im_infra.sql.metadata import METADATA
from im_infra.sql.types import BIG_INT, BLOB, HASH_BYTES, INT, SMALL_INT, UUID_BYTES, ascii_text, text

CONVERSATION: Final = Table(
    "conversation",
    METADATA,
    Column("conversation_id", BIG_INT, primary_key=True, autoincrement=False),
    Column("kind", SMALL_INT, nullable=False, comment="im.v1.ConversationKind"),
    Column("status", SMALL_INT, nullable=False, comment="im.v1.ConversationStatus"),
    Column("fanout", SMALL_INT, nullable=False, comment="1 small, 2 large"),
    Column("epoch", BIG_INT, nullable=False, comment="another one: history was rewound"),
    Column("rewind_seq", BIG_INT, nullable=False, comment="after a restore: the last certain seq"),
    Column("max_seq", BIG_INT, nullable=False, comment="dense: given under this row's lock"),
    Column("max_count", BIG_INT, nullable=False, comment="countable entries"),
    Column("min_seq", BIG_INT, nullable=False, comment="nothing below is kept"),
    Column("member_count", INT, nullable=False),
    Column("member_version", BIG_INT, nullable=False, comment="moves with any change of members"),
    Column("deny_version", BIG_INT, nullable=False, comment="moves with what takes a right away"),
    Column("last_time", BIG_INT, nullable=False, comment="moves with everything a sync must tell"),
    Column("active_time", BIG_INT, nullable=False, comment="orders the list: the last countable entry"),
    Column("fanout_time", BIG_INT, nullable=False, comment="when the fan-out class changed"),
    Column("slow_mode_ms", INT, nullable=False, comment="0: off"),
    Column("owner_id", BIG_INT, nullable=False, comment="0: none"),
    Column("title", text(128), nullable=False),
)

DIRECT: Final = Table(
    "direct",
    METADATA,
    Column("low_user_id", BIG_INT, nullable=False, autoincrement=False),
    Column("high_user_id", BIG_INT, nullable=False, autoincrement=False, comment="the same: the note to self"),
    Column("conversation_id", BIG_INT, nullable=False),
    PrimaryKeyConstraint("low_user_id", "high_user_id"),
    Index(None, "conversation_id"),
)

MESSAGE: Final = Table(
    "message",
    METADATA,
    Column("conversation_id", BIG_INT, nullable=False, autoincrement=False),
    Column("seq", BIG_INT, nullable=False, autoincrement=False),
    Column("count", BIG_INT, nullable=False, comment="countable entries up to and with this one"),
    Column("message_id", BIG_INT, nullable=False),
    Column("sender_id", BIG_INT, nullable=False, comment="0: the server"),
    Column("client_message_id", UUID_BYTES, nullable=False),
    Column("digest", UUID_BYTES, nullable=False, comment="BLAKE2b-128 of what the client said; never recomputed"),
    Column("ref_seq", BIG_INT, nullable=False, comment="the target; 0: none"),
    Column("type", SMALL_INT, nullable=False, comment="im.v1.MessageType"),
    Column("flags", INT, nullable=False, comment="bit 0 recalled, bit 1 purged, bit 2 countable"),
    Column("edit_seq", BIG_INT, nullable=False, comment="the newest edit's entry; 0: none"),
    Column("changed_seq", BIG_INT, nullable=False, comment="the newest entry that changed this one; 0: none"),
    Column("server_time", BIG_INT, nullable=False),
    Column("body", BLOB, nullable=False, comment="im.v1.Content as first sent; empty once blanked"),
    PrimaryKeyConstraint("conversation_id", "seq"),
    UniqueConstraint("conversation_id", "sender_id", "client_message_id"),
    Index(None, "message_id"),
    Index(None, "conversation_id", "ref_seq", sqlite_where=text_clause("ref_seq <> 0")),
)
REFERS: Final = MESSAGE.c.ref_seq != literal_column("0")
"""Beside every search by ref_seq: SQLite's index holds only entries that refer to another, since most do not."""

MEMBER: Final = Table(
    "member",
    METADATA,
    Column("conversation_id", BIG_INT, nullable=False, autoincrement=False),
    Column("user_id", BIG_INT, nullable=False, autoincrement=False),
    Column("role", SMALL_INT, nullable=False, comment="im.v1.MemberRole"),
    Column("state", SMALL_INT, nullable=False, comment="im.v1.MemberState; there is no default"),
    Column("muted_until_time", BIG_INT, nullable=False, comment="0: not"),
    Column("joined_time", BIG_INT, nullable=False, comment="orders the hand-over of ownership"),
    Column("left_time", BIG_INT, nullable=False, comment="0: in"),
    Column("version", BIG_INT, nullable=False, comment="the conversation's member_version of its last change"),
    PrimaryKeyConstraint("conversation_id", "user_id"),
    Index(None, "user_id", "state"),
)

MEMBER_WINDOW: Final = Table(
    "member_window",
    METADATA,
    Column("conversation_id", BIG_INT, nullable=False, autoincrement=False),
    Column("user_id", BIG_INT, nullable=False, autoincrement=False),
    Column("from_seq", BIG_INT, nullable=False, autoincrement=False, comment="first visible"),
    Column("to_seq", BIG_INT, nullable=False, comment="last visible; 0: still open"),
    PrimaryKeyConstraint("conversation_id", "user_id", "from_seq"),
)

CURSOR: Final = Table(
    "cursor",
    METADATA,
    Column("user_id", BIG_INT, nullable=False, autoincrement=False),
    Column("conversation_id", BIG_INT, nullable=False, autoincrement=False),
    Column("read_seq", BIG_INT, nullable=False),
    Column("read_count", BIG_INT, nullable=False),
    Column("received_seq", BIG_INT, nullable=False),
    Column("hide_seq", BIG_INT, nullable=False),
    Column("hide_count", BIG_INT, nullable=False),
    Column("last_send_time", BIG_INT, nullable=False, comment="kept only where slow mode is on"),
    Column("settings", INT, nullable=False),
    PrimaryKeyConstraint("user_id", "conversation_id"),
    Index(None, "conversation_id", "user_id"),
    comment="grants nothing: membership is in member",
)

USER_STATE: Final = Table(
    "user_state",
    METADATA,
    Column("user_id", BIG_INT, primary_key=True, autoincrement=False),
    Column("max_pts", BIG_INT, nullable=False),
)

USER_EVENT: Final = Table(
    "user_event",
    METADATA,
    Column("user_id", BIG_INT, nullable=False, autoincrement=False),
    Column("pts", BIG_INT, nullable=False, autoincrement=False),
    Column("time", BIG_INT, nullable=False),
    Column("body", BLOB, nullable=False, comment="im.v1.AccountEvent"),
    PrimaryKeyConstraint("user_id", "pts"),
    comment="the last 2,000 or so per user",
)

OPERATION: Final = Table(
    "operation",
    METADATA,
    Column("user_id", BIG_INT, nullable=False, autoincrement=False),
    Column("operation_id", UUID_BYTES, nullable=False),
    Column("digest", UUID_BYTES, nullable=False),
    Column("answer", BLOB, nullable=False, comment="never one that carries secrets"),
    Column("time", BIG_INT, nullable=False),
    PrimaryKeyConstraint("user_id", "operation_id"),
    Index(None, "time"),
    comment="14 days",
)

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("id", BIG_INT, primary_key=True, autoincrement=True),
    Column("created_time", BIG_INT, nullable=False),
    Column("next_time", BIG_INT, nullable=False, comment="the sweeper takes it from then on"),
    Column("owner", ascii_text(64), nullable=False, comment="the boot that counts its confirmations"),
    Column("ranges", BLOB, nullable=False, comment="im.repo.v1.OutboxRanges"),
    Index(None, "next_time"),
    sqlite_autoincrement=True,
    comment="one row per commit batch",
)

CLOCK: Final = Table(
    "clock",
    METADATA,
    Column("id", SMALL_INT, primary_key=True, autoincrement=False),
    Column("high_time", BIG_INT, nullable=False),
    Column("generation", BIG_INT, nullable=False, comment="+1 when the database's clock went back over 30 s"),
    Column(
        "id_floor_time", BIG_INT, nullable=False, server_default="0", comment="no new id carries a time at or below it"
    ),
)

USER: Final = Table(
    "user",
    METADATA,
    Column("user_id", BIG_INT, primary_key=True, autoincrement=False),
    Column("handle", ascii_text(32), nullable=True, unique=True, comment="lower case; NULL: a guest"),
    Column("display_name", text(64), nullable=False),
    Column("kind", SMALL_INT, nullable=False, comment="im.v1.UserKind"),
    Column("password_hash", ascii_text(255), nullable=False, comment="Argon2id; empty: none"),
    Column("disabled_time", BIG_INT, nullable=False, comment="0: not"),
    Column("created_time", BIG_INT, nullable=False),
    Column("seen_time", BIG_INT, nullable=False),
    Index(None, "kind", "seen_time"),
)

SESSION: Final = Table(
    "session",
    METADATA,
    Column("session_id", BIG_INT, primary_key=True, autoincrement=False),
    Column("user_id", BIG_INT, nullable=False),
    Column("device_id", ascii_text(64), nullable=False),
    Column("device_class", SMALL_INT, nullable=False, comment="im.v1.DeviceClass"),
    Column("device_name", text(64), nullable=False),
    Column("generation", BIG_INT, nullable=False, comment="tokens of a lower one are dead"),
    Column("refresh_hash", HASH_BYTES, nullable=False),
    Column("refresh_counter", BIG_INT, nullable=False),
    Column("previous_hash", HASH_BYTES, nullable=False, comment="the immediate predecessor's"),
    Column("rotated_time", BIG_INT, nullable=False),
    Column("refresh_expire_time", BIG_INT, nullable=False),
    Column("created_time", BIG_INT, nullable=False),
    Column("seen_time", BIG_INT, nullable=False),
    Column("revoked_time", BIG_INT, nullable=False, comment="0: live"),
    Column("displaced_time", BIG_INT, nullable=False, comment="0: not"),
    Index(None, "user_id", "revoked_time"),
)

REVOCATION: Final = Table(
    "revocation",
    METADATA,
    Column("id", BIG_INT, primary_key=True, autoincrement=True),
    Column("session_id", BIG_INT, nullable=False),
    Column("generation", BIG_INT, nullable=False, comment="dead up to this one"),
    Column("close_code", SMALL_INT, nullable=False, comment="im.v1.CloseCode"),
    Column("time", BIG_INT, nullable=False),
    Index(None, "time"),
)

INVITE: Final = Table(
    "invite",
    METADATA,
    Column("code", ascii_text(64), primary_key=True),
    Column("uses_left", INT, nullable=False),
    Column("expire_time", BIG_INT, nullable=False, comment="0: never"),
    Column("created_time", BIG_INT, nullable=False),
)

ENTRY_ACCOUNT: Final = Table(
    "entry_account",
    METADATA,
    Column("device_id", ascii_text(64), nullable=False),
    Column("operation_id", UUID_BYTES, nullable=False),
    Column("digest", UUID_BYTES, nullable=False),
    Column("user_id", BIG_INT, nullable=False),
    Column("time", BIG_INT, nullable=False),
    PrimaryKeyConstraint("device_id", "operation_id"),
    Index(None, "time"),
    comment="register and guest happen once per (installation, operation_id)",
)

TABLES: Final = (
    CONVERSATION, DIRECT, MESSAGE, MEMBER, MEMBER_WINDOW, CURSOR, USER_STATE, USER_EVENT, OPERATION, OUTBOX, CLOCK,
    USER, SESSION, REVOCATION, INVITE, ENTRY_ACCOUNT, BUS_RECORD, WORKER_LEASE,
)  # fmt: skip
