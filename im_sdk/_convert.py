"""From the wire's messages to the application's values."""

from collections.abc import Sequence
from typing import Final

from im_proto.v1 import account_pb2, conversation_pb2, error_pb2, message_pb2
from im_sdk._errors import ConflictError, ImError, from_wire
from im_sdk._models import (
    Custom,
    Device,
    Member,
    Membership,
    Mention,
    Message,
    MessageKind,
    Notice,
    NoticeKind,
    Role,
    SentMessage,
    User,
    UserKind,
)

_MESSAGE_KINDS: Final = {int(kind): kind for kind in MessageKind}
_USER_KINDS: Final = {int(kind): kind for kind in UserKind}
_ROLES: Final = {int(role): role for role in Role}
_MEMBERSHIPS: Final = {int(state): state for state in Membership}


def message(wire: message_pb2.Message, me: int) -> Message:
    """An entry of a log; `me` is the account that reads."""
    text: str | None = None
    mentions: tuple[Mention, ...] = ()
    custom_body: Custom | None = None
    notice_body: Notice | None = None
    content = wire.content
    body = content.WhichOneof("body")
    if body in ("text", "edit"):
        said = content.text if body == "text" else content.edit
        text = said.text
        if said.mentions:
            mentions = tuple(Mention(m.user_id, m.offset, m.length) for m in said.mentions)
    elif body == "custom":
        custom_body = Custom(content.custom.kind, content.custom.data, content.custom.fallback)
    elif body == "notice":
        notice_body = notice(content.notice)
    sender_id = wire.sender_id
    return Message(
        wire.conversation_id,
        wire.seq,
        wire.message_id,
        sender_id,
        wire.client_message_id,
        wire.server_time,
        _MESSAGE_KINDS.get(wire.type, MessageKind.UNKNOWN),
        text,
        mentions,
        custom_body,
        notice_body,
        wire.ref_seq,
        wire.changed_seq,
        wire.edit_time,
        wire.recalled,
        sender_id == me,
    )


def notice(wire: message_pb2.Notice) -> Notice:
    """What happened to a conversation."""
    change = wire.WhichOneof("change")
    if change is None:
        return Notice(NoticeKind.UNKNOWN, 0)
    if change == "dissolved":
        return Notice(NoticeKind.DISSOLVED, wire.dissolved.actor_id)
    members: message_pb2.MembersChange = getattr(wire, change)
    return Notice(NoticeKind(change), members.actor_id, tuple(members.user_ids), members.title, members.owner_id)


def sent(wire: message_pb2.SendResponse) -> SentMessage:
    """A send's answer."""
    return SentMessage(
        wire.conversation_id, wire.seq, wire.message_id, wire.server_time, wire.client_message_id, wire.duplicate
    )


def user(wire: account_pb2.User) -> User:
    """An account."""
    return User(wire.user_id, wire.handle, wire.display_name, _USER_KINDS.get(wire.kind, UserKind.UNKNOWN))


def device(wire: account_pb2.Device) -> Device:
    """A session of the account."""
    return Device(
        wire.session_id,
        wire.device_id,
        int(wire.device_class),
        wire.device_name,
        wire.created_time,
        wire.seen_time,
        wire.current,
    )


def role(wire: int) -> Role:
    """A member's role; an unknown one may do least."""
    return _ROLES.get(wire, Role.MEMBER)


def membership(wire: int) -> Membership:
    """In or out; an unknown state is out."""
    return _MEMBERSHIPS.get(wire, Membership.NONE)


def member(wire: conversation_pb2.Member) -> Member:
    """A place in a conversation."""
    return Member(wire.user_id, role(wire.role), membership(wire.state), wire.muted_until_time)


def error(wire: error_pb2.Error) -> ImError:
    """A failed request."""
    made = from_wire(wire.number, wire.name, wire.message, retryable=wire.retryable, retry_after_ms=wire.retry_after_ms)
    if isinstance(made, ConflictError) and wire.HasField("stored"):
        made.stored = sent(wire.stored)
    return made


def text_content(text: str, mentions: Sequence[Mention] = ()) -> message_pb2.Content:
    """A text for the wire."""
    body = message_pb2.Text(text=text)
    for mention in mentions:
        body.mentions.add(user_id=mention.user_id, offset=mention.offset, length=mention.length)
    return message_pb2.Content(text=body)


def custom_content(custom: Custom) -> message_pb2.Content:
    """An application's body for the wire."""
    return message_pb2.Content(custom=message_pb2.Custom(kind=custom.kind, data=custom.data, fallback=custom.fallback))
