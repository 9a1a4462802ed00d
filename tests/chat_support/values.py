"""Messages, conversations and people for tests of the terminal client."""

from dataclasses import replace
from datetime import UTC, datetime

from im_cli.chat.people import People
from im_sdk import (
    Conversation,
    ConversationKind,
    Membership,
    Message,
    MessageKind,
    Notice,
    Role,
    User,
    UserKind,
)

NOON_MS = int(datetime(2026, 3, 4, 12, 0, tzinfo=UTC).timestamp() * 1000)
"""A Wednesday."""
MINUTE_MS = 60_000
ME = User(1, "ada", "Ada Lovelace", UserKind.REGISTERED)
GRACE = User(2, "grace", "Grace Hopper", UserKind.REGISTERED)
GUEST = User(3, "", "Visitor", UserKind.GUEST)


def people() -> People:
    known = People(ME)
    known.meet(GRACE, GUEST)
    return known


def message(seq: int, text: str | None = "hello", *, sender_id: int = GRACE.user_id, **changes: object) -> Message:
    made = Message(
        conversation_id=7, seq=seq, message_id=1000 + seq, sender_id=sender_id, client_message_id=f"c{seq}",
        server_time=NOON_MS + seq, kind=MessageKind.TEXT, text=text, mentions=(), custom=None, notice=None, ref_seq=0,
        changed_seq=0, edit_time=0, recalled=False, outgoing=sender_id == ME.user_id,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def notice_message(seq: int, notice: Notice) -> Message:
    return message(seq, None, sender_id=0, kind=MessageKind.NOTICE, notice=notice)


def conversation(**changes: object) -> Conversation:
    made = Conversation(
        conversation_id=7, kind=ConversationKind.DIRECT, title="", peer_id=GRACE.user_id, dissolved=False,
        member_count=2, role=Role.MEMBER, membership=Membership.IN, large=False, max_seq=0, local_seq=0, read_seq=0,
        unread=0, mentioned=False, peer_received_seq=0, peer_read_seq=0, active_time=NOON_MS, last_message=None,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]
