"""What happened, in words: notices of groups, previews of messages, titles of conversations."""

from collections.abc import Callable, Sequence

from im_cli.chat.clean import one_line
from im_cli.chat.people import People
from im_sdk import Conversation, ConversationKind, Membership, Message, MessageKind, Notice, NoticeKind

RECALLED = "This message was taken back"
_SHOWN_NAMES = 4


def notice_text(notice: Notice | None, people: People) -> str:
    """A notice in one sentence."""
    if notice is None:
        return "Something changed that this version cannot show"
    actor = people.name(notice.actor_id)
    others = joined([user_id for user_id in notice.user_ids if user_id != notice.actor_id], people.name)
    match notice.kind:
        case NoticeKind.CREATED:
            text = f"{actor} made the group “{one_line(notice.title)}”"
            return f"{text} with {_lower(others)}" if others else text
        case NoticeKind.ADDED:
            return f"{actor} added {_lower(others)}" if others else f"{actor} came in"
        case NoticeKind.LEFT:
            text = f"{actor} left"
        case NoticeKind.REMOVED:
            text = f"{actor} removed {_lower(others)}"
        case NoticeKind.DISSOLVED:
            return f"{actor} dissolved the group; it can be read, not written to"
        case _:
            return "Something changed that this version cannot show"
    if notice.owner_id:
        owner = people.name(notice.owner_id)
        text += "; you own the group now" if owner == "You" else f"; {owner} owns the group now"
    return text


def message_text(message: Message) -> str:
    """What a message says, with its line breaks; empty only if it says nothing."""
    if message.recalled:
        return RECALLED
    if message.text is not None:
        return message.text
    if message.custom is not None:
        return message.custom.fallback or f"[{message.custom.kind}: this version cannot show it]"
    if message.kind is MessageKind.UNKNOWN:
        return "[A newer version can show this]"
    return "[not available any more]"


def title_of(conversation: Conversation, people: People) -> str:
    """What a conversation is called."""
    match conversation.kind:
        case ConversationKind.WORLD:
            return "World room"
        case ConversationKind.DIRECT if conversation.peer_id == people.me.user_id:
            return "Notes to myself"
        case ConversationKind.DIRECT:
            return people.full_name(conversation.peer_id)
        case _:
            return one_line(conversation.title) or "Group"


def preview_of(conversation: Conversation, people: People) -> str:
    """One line of its last message, or of its state."""
    if conversation.dissolved:
        return "dissolved"
    if closed := membership_text(conversation.membership):
        return closed.lower()
    message = conversation.last_message
    if message is None:
        return "new messages" if conversation.unread else "no messages yet"
    text = one_line(message_text(message))
    if message.outgoing:
        return f"You: {text}"
    if conversation.kind is ConversationKind.DIRECT:
        return text
    return f"{people.name(message.sender_id)}: {text}"


def membership_text(membership: Membership) -> str:
    """Why one is not in a conversation; empty for members."""
    match membership:
        case Membership.LEFT:
            return "You left"
        case Membership.REMOVED:
            return "You were removed"
        case Membership.BANNED:
            return "You are banned here"
        case _:
            return ""


def typing_text(user_ids: Sequence[int], people: People) -> str:
    """Who is typing."""
    if not user_ids:
        return ""
    if len(user_ids) > 2:
        return f"{len(user_ids)} people are typing…"
    return f"{joined(user_ids, people.full_name)} {'is' if len(user_ids) == 1 else 'are'} typing…"


def joined(user_ids: Sequence[int], name: Callable[[int], str]) -> str:
    """Names in a row: A, B and C; many are counted."""
    names = [name(user_id) for user_id in user_ids]
    if len(names) > _SHOWN_NAMES:
        return f"{', '.join(names[: _SHOWN_NAMES - 1])} and {len(names) - _SHOWN_NAMES + 1} others"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _lower(names: str) -> str:
    """Names in the middle of a sentence."""
    return (
        "you"
        if names == "You"
        else names.replace("You, ", "you, ").replace(" and You", " and you").replace("You and ", "you and ")
    )
