"""What an application gets to see: plain frozen values, no protobuf.

Times are milliseconds since the epoch, by the server's clock.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum


class UserKind(IntEnum):
    """Kinds of accounts; a newer server's unknown kind becomes UNKNOWN."""

    UNKNOWN = 0
    GUEST = 1
    REGISTERED = 2
    BOT = 3
    ADMIN = 4


class DeviceClass(IntEnum):
    """Classes of devices: each has its own number of places."""

    PHONE = 1
    TABLET = 2
    DESKTOP = 3
    WEB = 4
    BOT = 5


class ConversationKind(IntEnum):
    """Kinds of conversations."""

    UNKNOWN = 0
    DIRECT = 1
    GROUP = 2
    WORLD = 3


class Role(IntEnum):
    """A member's role."""

    NONE = 0
    MEMBER = 1
    ADMIN = 2
    OWNER = 3


class Membership(IntEnum):
    """In or out."""

    NONE = 0
    IN = 1
    LEFT = 2
    REMOVED = 3
    BANNED = 4


class MessageKind(IntEnum):
    """Kinds of log entries; show an unknown one as a notice to update."""

    UNKNOWN = 0
    TEXT = 1
    CUSTOM = 2
    NOTICE = 3
    EDIT = 4
    RECALL = 5


class NoticeKind(Enum):
    """What happened to a conversation."""

    CREATED = "created"
    ADDED = "added"
    LEFT = "left"
    REMOVED = "removed"
    DISSOLVED = "dissolved"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class User:
    """An account as others see it."""

    user_id: int
    handle: str
    """Empty for guests."""
    display_name: str
    kind: UserKind


@dataclass(frozen=True, slots=True)
class Device:
    """A session: one login of one device."""

    session_id: int
    device_id: str
    device_class: int
    device_name: str
    created_time: int
    seen_time: int
    current: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """A user named in a text; offset and length count Unicode code points, as Python's `str` does."""

    user_id: int
    """0: everybody."""
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Custom:
    """A body the application defines."""

    kind: str
    data: bytes
    fallback: str = ""
    """What older clients and notifications show instead."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened to a conversation."""

    kind: NoticeKind
    actor_id: int
    user_ids: tuple[int, ...] = ()
    title: str = ""
    owner_id: int = 0
    """Who owns the group from here on; 0: unchanged."""


@dataclass(frozen=True, slots=True)
class Message:
    """An entry of a conversation's log, in its present state."""

    conversation_id: int
    seq: int
    """The place in the log: 1, 2, 3 … without holes."""
    message_id: int
    """For references; never for order."""
    sender_id: int
    """0: the server."""
    client_message_id: str
    server_time: int
    kind: MessageKind
    text: str | None
    """None where there is none: recalled, purged, custom, notice, or not for this reader."""
    mentions: tuple[Mention, ...]
    custom: Custom | None
    notice: Notice | None
    ref_seq: int
    """The entry this one is about: a reply's, edit's or recall's target; 0: none."""
    changed_seq: int
    """The newest entry that changed this one; 0: none."""
    edit_time: int
    """0: never edited."""
    recalled: bool
    outgoing: bool
    """Sent by this account, from whichever device."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A send's answer: the message is on the server's disk."""

    conversation_id: int
    seq: int
    message_id: int
    server_time: int
    client_message_id: str
    duplicate: bool = False
    """An earlier try had stored it already."""


@dataclass(frozen=True, slots=True)
class Member:
    """A place in a conversation."""

    user_id: int
    role: Role
    membership: Membership
    muted_until_time: int
    """0: not muted."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as this account has it: a picture of the moment it was asked for."""

    conversation_id: int
    kind: ConversationKind
    title: str
    """Empty for private chats."""
    peer_id: int
    """The other one of a private chat, oneself in the note to self; else 0."""
    dissolved: bool
    member_count: int
    role: Role
    membership: Membership
    large: bool
    """Bodies are pushed only while it is viewed (`Client.view`)."""
    max_seq: int
    """The head of the log, as far as is known here."""
    local_seq: int
    """All up to here was given to the application."""
    read_seq: int
    unread: int
    """Exact up to 99; 100 means "99+"."""
    mentioned: bool
    peer_received_seq: int
    peer_read_seq: int
    active_time: int
    """Orders the list."""
    last_message: Message | None
    unread_settled: bool = True
    """False: `unread` is from before something that only the server can count; it is being asked."""

    @property
    def stale(self) -> bool:
        """The log has entries that were not given to the application yet."""
        return self.local_seq < self.max_seq
