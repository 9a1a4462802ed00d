"""The first schema."""

import sqlalchemy as sa
from alembic import op

from im_infra.sql import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first schema."""
    op.create_table(
        "bus_record",
        sa.Column("id", types.BIG_INT, autoincrement=True, nullable=False),
        sa.Column("topic", types.ascii_text(64), nullable=False),
        sa.Column("key", types.BLOB, nullable=False),
        sa.Column("due_time", types.BIG_INT, nullable=False, comment="not handed out before, ms since the epoch"),
        sa.Column("attempts", types.INT, nullable=False),
        sa.Column("error", types.text(2000), nullable=False),
        sa.Column("headers", types.text(2000), nullable=False, comment="JSON"),
        sa.Column("body", types.BLOB, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bus_record")),
    )
    op.create_index(op.f("ix_bus_record_topic_due_time_id"), "bus_record", ["topic", "due_time", "id"], unique=False)
    op.create_table(
        "clock",
        sa.Column("id", types.SMALL_INT, autoincrement=False, nullable=False),
        sa.Column("high_time", types.BIG_INT, nullable=False),
        sa.Column(
            "generation", types.BIG_INT, nullable=False, comment="+1 when the database's clock went back over 30 s"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
    )
    op.create_table(
        "conversation",
        sa.Column("conversation_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("kind", types.SMALL_INT, nullable=False, comment="im.v1.ConversationKind"),
        sa.Column("status", types.SMALL_INT, nullable=False, comment="im.v1.ConversationStatus"),
        sa.Column("fanout", types.SMALL_INT, nullable=False, comment="1 small, 2 large"),
        sa.Column("epoch", types.BIG_INT, nullable=False, comment="another one: history was rewound"),
        sa.Column("rewind_seq", types.BIG_INT, nullable=False, comment="after a restore: the last certain seq"),
        sa.Column("max_seq", types.BIG_INT, nullable=False, comment="dense: given under this row's lock"),
        sa.Column("max_count", types.BIG_INT, nullable=False, comment="countable entries"),
        sa.Column("min_seq", types.BIG_INT, nullable=False, comment="nothing below is kept"),
        sa.Column("member_count", types.INT, nullable=False),
        sa.Column("member_version", types.BIG_INT, nullable=False, comment="moves with any change of members"),
        sa.Column("deny_version", types.BIG_INT, nullable=False, comment="moves with what takes a right away"),
        sa.Column("last_time", types.BIG_INT, nullable=False, comment="moves with everything a sync must tell"),
        sa.Column("active_time", types.BIG_INT, nullable=False, comment="orders the list: the last countable entry"),
        sa.Column("fanout_time", types.BIG_INT, nullable=False, comment="when the fan-out class changed"),
        sa.Column("slow_mode_ms", types.INT, nullable=False, comment="0: off"),
        sa.Column("owner_id", types.BIG_INT, nullable=False, comment="0: none"),
        sa.Column("title", types.text(128), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_conversation")),
    )
    op.create_table(
        "cursor",
        sa.Column("user_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("conversation_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("read_seq", types.BIG_INT, nullable=False),
        sa.Column("read_count", types.BIG_INT, nullable=False),
        sa.Column("received_seq", types.BIG_INT, nullable=False),
        sa.Column("hide_seq", types.BIG_INT, nullable=False),
        sa.Column("hide_count", types.BIG_INT, nullable=False),
        sa.Column("last_send_time", types.BIG_INT, nullable=False, comment="kept only where slow mode is on"),
        sa.Column("settings", types.INT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "conversation_id", name=op.f("pk_cursor")),
        comment="grants nothing: membership is in member",
    )
    op.create_index(op.f("ix_cursor_conversation_id_user_id"), "cursor", ["conversation_id", "user_id"], unique=False)
    op.create_table(
        "direct",
        sa.Column("low_user_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column(
            "high_user_id", types.BIG_INT, autoincrement=False, nullable=False, comment="the same: the note to self"
        ),
        sa.Column("conversation_id", types.BIG_INT, nullable=False),
        sa.PrimaryKeyConstraint("low_user_id", "high_user_id", name=op.f("pk_direct")),
    )
    op.create_index(op.f("ix_direct_conversation_id"), "direct", ["conversation_id"], unique=False)
    op.create_table(
        "entry_account",
        sa.Column("device_id", types.ascii_text(64), nullable=False),
        sa.Column("operation_id", types.UUID_BYTES, nullable=False),
        sa.Column("digest", types.UUID_BYTES, nullable=False),
        sa.Column("user_id", types.BIG_INT, nullable=False),
        sa.Column("time", types.BIG_INT, nullable=False),
        sa.PrimaryKeyConstraint("device_id", "operation_id", name=op.f("pk_entry_account")),
        comment="register and guest happen once per (installation, operation_id)",
    )
    op.create_index(op.f("ix_entry_account_time"), "entry_account", ["time"], unique=False)
    op.create_table(
        "invite",
        sa.Column("code", types.ascii_text(64), nullable=False),
        sa.Column("uses_left", types.INT, nullable=False),
        sa.Column("expire_time", types.BIG_INT, nullable=False, comment="0: never"),
        sa.Column("created_time", types.BIG_INT, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_invite")),
    )
    op.create_table(
        "member",
        sa.Column("conversation_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("user_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("role", types.SMALL_INT, nullable=False, comment="im.v1.MemberRole"),
        sa.Column("state", types.SMALL_INT, nullable=False, comment="im.v1.MemberState; there is no default"),
        sa.Column("muted_until_time", types.BIG_INT, nullable=False, comment="0: not"),
        sa.Column("joined_time", types.BIG_INT, nullable=False, comment="orders the hand-over of ownership"),
        sa.Column("left_time", types.BIG_INT, nullable=False, comment="0: in"),
        sa.Column(
            "version", types.BIG_INT, nullable=False, comment="the conversation's member_version of its last change"
        ),
        sa.PrimaryKeyConstraint("conversation_id", "user_id", name=op.f("pk_member")),
    )
    op.create_index(op.f("ix_member_user_id_state"), "member", ["user_id", "state"], unique=False)
    op.create_table(
        "member_window",
        sa.Column("conversation_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("user_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("from_seq", types.BIG_INT, autoincrement=False, nullable=False, comment="first visible"),
        sa.Column("to_seq", types.BIG_INT, nullable=False, comment="last visible; 0: still open"),
        sa.PrimaryKeyConstraint("conversation_id", "user_id", "from_seq", name=op.f("pk_member_window")),
    )
    op.create_table(
        "message",
        sa.Column("conversation_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("seq", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("count", types.BIG_INT, nullable=False, comment="countable entries up to and with this one"),
        sa.Column("message_id", types.BIG_INT, nullable=False),
        sa.Column("sender_id", types.BIG_INT, nullable=False, comment="0: the server"),
        sa.Column("client_message_id", types.UUID_BYTES, nullable=False),
        sa.Column(
            "digest", types.UUID_BYTES, nullable=False, comment="BLAKE2b-128 of what the client said; never recomputed"
        ),
        sa.Column("ref_seq", types.BIG_INT, nullable=False, comment="the target; 0: none"),
        sa.Column("type", types.SMALL_INT, nullable=False, comment="im.v1.MessageType"),
        sa.Column("flags", types.INT, nullable=False, comment="bit 0 recalled, bit 1 purged, bit 2 countable"),
        sa.Column("edit_seq", types.BIG_INT, nullable=False, comment="the newest edit's entry; 0: none"),
        sa.Column(
            "changed_seq", types.BIG_INT, nullable=False, comment="the newest entry that changed this one; 0: none"
        ),
        sa.Column("server_time", types.BIG_INT, nullable=False),
        sa.Column("body", types.BLOB, nullable=False, comment="im.v1.Content as first sent; empty once blanked"),
        sa.PrimaryKeyConstraint("conversation_id", "seq", name=op.f("pk_message")),
        sa.UniqueConstraint(
            "conversation_id",
            "sender_id",
            "client_message_id",
            name=op.f("uq_message_conversation_id_sender_id_client_message_id"),
        ),
    )
    op.create_index(
        op.f("ix_message_conversation_id_ref_seq"),
        "message",
        ["conversation_id", "ref_seq"],
        unique=False,
        sqlite_where=sa.text("ref_seq <> 0"),
    )
    op.create_index(op.f("ix_message_message_id"), "message", ["message_id"], unique=False)
    op.create_table(
        "operation",
        sa.Column("user_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("operation_id", types.UUID_BYTES, nullable=False),
        sa.Column("digest", types.UUID_BYTES, nullable=False),
        sa.Column("answer", types.BLOB, nullable=False, comment="never one that carries secrets"),
        sa.Column("time", types.BIG_INT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "operation_id", name=op.f("pk_operation")),
        comment="14 days",
    )
    op.create_index(op.f("ix_operation_time"), "operation", ["time"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", types.BIG_INT, autoincrement=True, nullable=False),
        sa.Column("created_time", types.BIG_INT, nullable=False),
        sa.Column("next_time", types.BIG_INT, nullable=False, comment="the sweeper takes it from then on"),
        sa.Column("owner", types.ascii_text(64), nullable=False, comment="the boot that counts its confirmations"),
        sa.Column("ranges", types.BLOB, nullable=False, comment="im.repo.v1.OutboxRanges"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        comment="one row per commit batch",
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_outbox_next_time"), "outbox", ["next_time"], unique=False)
    op.create_table(
        "revocation",
        sa.Column("id", types.BIG_INT, autoincrement=True, nullable=False),
        sa.Column("session_id", types.BIG_INT, nullable=False),
        sa.Column("generation", types.BIG_INT, nullable=False, comment="dead up to this one"),
        sa.Column("close_code", types.SMALL_INT, nullable=False, comment="im.v1.CloseCode"),
        sa.Column("time", types.BIG_INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocation")),
    )
    op.create_index(op.f("ix_revocation_time"), "revocation", ["time"], unique=False)
    op.create_table(
        "session",
        sa.Column("session_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("user_id", types.BIG_INT, nullable=False),
        sa.Column("device_id", types.ascii_text(64), nullable=False),
        sa.Column("device_class", types.SMALL_INT, nullable=False, comment="im.v1.DeviceClass"),
        sa.Column("device_name", types.text(64), nullable=False),
        sa.Column("generation", types.BIG_INT, nullable=False, comment="tokens of a lower one are dead"),
        sa.Column("refresh_hash", types.HASH_BYTES, nullable=False),
        sa.Column("refresh_counter", types.BIG_INT, nullable=False),
        sa.Column("previous_hash", types.HASH_BYTES, nullable=False, comment="the immediate predecessor's"),
        sa.Column("rotated_time", types.BIG_INT, nullable=False),
        sa.Column("refresh_expire_time", types.BIG_INT, nullable=False),
        sa.Column("created_time", types.BIG_INT, nullable=False),
        sa.Column("seen_time", types.BIG_INT, nullable=False),
        sa.Column("revoked_time", types.BIG_INT, nullable=False, comment="0: live"),
        sa.Column("displaced_time", types.BIG_INT, nullable=False, comment="0: not"),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_user_id_revoked_time"), "session", ["user_id", "revoked_time"], unique=False)
    op.create_table(
        "user",
        sa.Column("user_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("handle", types.ascii_text(32), nullable=True, comment="lower case; NULL: a guest"),
        sa.Column("display_name", types.text(64), nullable=False),
        sa.Column("kind", types.SMALL_INT, nullable=False, comment="im.v1.UserKind"),
        sa.Column("password_hash", types.ascii_text(255), nullable=False, comment="Argon2id; empty: none"),
        sa.Column("disabled_time", types.BIG_INT, nullable=False, comment="0: not"),
        sa.Column("created_time", types.BIG_INT, nullable=False),
        sa.Column("seen_time", types.BIG_INT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user")),
        sa.UniqueConstraint("handle", name=op.f("uq_user_handle")),
    )
    op.create_index(op.f("ix_user_kind_seen_time"), "user", ["kind", "seen_time"], unique=False)
    op.create_table(
        "user_event",
        sa.Column("user_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("pts", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("time", types.BIG_INT, nullable=False),
        sa.Column("body", types.BLOB, nullable=False, comment="im.v1.AccountEvent"),
        sa.PrimaryKeyConstraint("user_id", "pts", name=op.f("pk_user_event")),
        comment="the last 2,000 or so per user",
    )
    op.create_table(
        "user_state",
        sa.Column("user_id", types.BIG_INT, autoincrement=False, nullable=False),
        sa.Column("max_pts", types.BIG_INT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_state")),
    )
    op.create_table(
        "worker_lease",
        sa.Column("worker_id", types.INT, autoincrement=False, nullable=False),
        sa.Column(
            "high_time",
            types.BIG_INT,
            nullable=False,
            comment="ids up to this time may have been used, ms since the epoch",
        ),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_worker_lease")),
    )
