"""What happens, as an application gets told: one frozen value each, for `match`."""

from dataclasses import dataclass
from enum import Enum

from im_sdk._errors import ImError
from im_sdk._models import Conversation, Membership, Message


class ConnectionState(Enum):
    """Where the connection stands."""

    OFFLINE = "offline"
    """Not started."""
    CONNECTING = "connecting"
    SYNCING = "syncing"
    """Greeted; catching up."""
    ONLINE = "online"
    WAITING = "waiting"
    """Between two tries."""
    CLOSED = "closed"
    """For good, or until `connect()` is called again."""


class ChangeKind(Enum):
    """How a message was changed."""

    EDITED = "edited"
    RECALLED = "recalled"


class Unavailability(Enum):
    """Why entries are not given."""

    GONE = "gone"
    """The server has them no more, or not for this reader."""
    SKIPPED = "skipped"
    """More than `catch_up_limit` were missed; `Client.history` reads them."""


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message of somebody else; each comes once, in the order of its conversation."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageSent:
    """A message of this account, from this or another device, at its place in the order."""

    message: Message


@dataclass(frozen=True, slots=True)
class NoticeReceived:
    """Members came or went, or the group ended: `message.notice` says what."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """A message was edited or recalled."""

    conversation_id: int
    seq: int
    """The message that changed."""
    change: ChangeKind
    text: str | None
    """The new text; None when recalled."""
    actor_id: int
    server_time: int
    entry_seq: int
    """The place of the change itself in the log."""


@dataclass(frozen=True, slots=True)
class MessagesUnavailable:
    """Entries `from_seq` to `to_seq` will not come by themselves."""

    conversation_id: int
    from_seq: int
    to_seq: int
    reason: Unavailability


@dataclass(frozen=True, slots=True)
class ConversationChanged:
    """A conversation is new, or something but its messages changed."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class ConversationLeft:
    """This account is not in the conversation any more."""

    conversation_id: int
    membership: Membership


@dataclass(frozen=True, slots=True)
class ConversationRewound:
    """The server was restored from a backup: drop every entry above `rewind_seq`; what was sent anew follows."""

    conversation_id: int
    rewind_seq: int


@dataclass(frozen=True, slots=True)
class ReceiptReceived:
    """Somebody received or read up to a place; 0: not told."""

    conversation_id: int
    user_id: int
    received_seq: int
    read_seq: int


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody is typing; forget it after 5 s."""

    conversation_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class SendFailed:
    """A message was refused for good while nobody awaited it: one of an earlier run, or of a cancelled `send`."""

    conversation_id: int
    client_message_id: str
    error: ImError


@dataclass(frozen=True, slots=True)
class ConnectionStateChanged:
    """The connection's state is another one."""

    state: ConnectionState
    error: ImError | None = None
    """Why, if something failed."""
    retry_in_s: float = 0
    """Seconds to the next try, while WAITING."""


@dataclass(frozen=True, slots=True)
class Kicked:
    """The server ended the session; only a person's act (`connect(take_over=True)`, a login) comes back."""

    close_code: int
    reason: str


Event = (
    MessageReceived
    | MessageSent
    | NoticeReceived
    | MessageChanged
    | MessagesUnavailable
    | ConversationChanged
    | ConversationLeft
    | ConversationRewound
    | ReceiptReceived
    | Typing
    | SendFailed
    | ConnectionStateChanged
    | Kicked
)
