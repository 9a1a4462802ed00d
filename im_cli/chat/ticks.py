"""How far a message of one's own has come."""

from enum import Enum

from im_sdk import Conversation, ConversationKind, Message


class Tick(Enum):
    """What stands behind an own message."""

    NONE = ""
    WAITING = "…"
    SENT = "✓"
    DELIVERED = "✓✓"
    READ = "✓✓ "
    """Two ticks as well, told from DELIVERED by their colour."""
    FAILED = "!"


def tick_of(message: Message, conversation: Conversation | None) -> Tick:
    """Private chats say delivered and read; elsewhere a message is sent, and that is all."""
    if not message.outgoing or message.recalled:
        return Tick.NONE
    if conversation is None or conversation.kind is not ConversationKind.DIRECT:
        return Tick.SENT
    if conversation.peer_id == message.sender_id:
        return Tick.SENT
    if conversation.peer_read_seq >= message.seq:
        return Tick.READ
    if conversation.peer_received_seq >= message.seq:
        return Tick.DELIVERED
    return Tick.SENT
