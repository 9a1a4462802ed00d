"""What a conversation's screen shows, row by row: plain values, made from the model by a pure function."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from im_cli.chat import times
from im_cli.chat.clean import one_line, printable
from im_cli.chat.notices import message_text, notice_text
from im_cli.chat.people import People
from im_cli.chat.thread import Loaded, Pending, Thread
from im_cli.chat.ticks import Tick, tick_of
from im_sdk import Conversation, Message, MessageKind

GROUPED_MS: Final = 5 * 60_000
"""Messages of one sender within so long stand under one name."""


@dataclass(frozen=True, slots=True)
class DividerRow:
    """A line across with a word in it: a day, or where the unread begin."""

    key: str
    text: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """Something that nobody said."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message."""

    key: str
    sender_id: int
    name: str
    own: bool
    named: bool
    """The name stands above it."""
    text: str
    time: str
    tick: Tick
    edited: bool = False
    faint: bool = False
    """Recalled, or not available."""
    reply: str = ""
    """What it answers, in one line."""
    failure: str = ""


Row = DividerRow | NoticeRow | MessageRow


def message_key(seq: int) -> str:
    """The key of a message's row."""
    return f"m{seq}"


def pending_key(pending: Pending) -> str:
    """The key of a waiting message's row."""
    return f"p{pending.number}"


def rows_of(
    thread: Thread, conversation: Conversation | None, people: People, *, now_ms: int, zone: tzinfo | None
) -> list[Row]:
    """Everything, from the oldest."""
    rows: list[Row] = list(_top(thread))
    day = None
    before: Message | None = None
    new_shown = thread.new_from_seq == 0
    for message in thread.messages():
        that_day = times.day(message.server_time, zone)
        if that_day != day:
            day, before = that_day, None
            rows.append(DividerRow(f"d{that_day}", times.day_title(message.server_time, now_ms, zone)))
        if not new_shown and message.seq > thread.new_from_seq and not message.outgoing:
            new_shown, before = True, None
            rows.append(DividerRow("new", "New", new=True))
        if message.kind is MessageKind.NOTICE:
            rows.append(NoticeRow(message_key(message.seq), printable(notice_text(message.notice, people))))
            before = None
        else:
            rows.append(_message_row(message, before, thread, conversation, people, zone))
            before = message
    last_own = before is not None and before.outgoing
    for pending in thread.waiting():
        rows.append(_pending_row(pending, people, named=not last_own, zone=zone))
        last_own = True
    return rows


def _top(thread: Thread) -> Iterator[Row]:
    if thread.fetching and len(thread):
        yield NoticeRow("top", "Loading earlier messages …")
    elif thread.loaded is Loaded.WHOLLY and len(thread):
        yield NoticeRow("top", "The beginning of this conversation")


def _message_row(
    message: Message,
    before: Message | None,
    thread: Thread,
    conversation: Conversation | None,
    people: People,
    zone: tzinfo | None,
) -> MessageRow:
    grouped = (
        before is not None
        and before.sender_id == message.sender_id
        and message.server_time - before.server_time < GROUPED_MS
    )
    return MessageRow(
        message_key(message.seq),
        message.sender_id,
        people.name(message.sender_id),
        message.outgoing,
        not grouped,
        printable(message_text(message)),
        times.clock(message.server_time, zone),
        tick_of(message, conversation),
        edited=bool(message.edit_time) and not message.recalled,
        faint=message.recalled or message.text is None,
        reply=_reply(message.ref_seq, thread, people) if not message.recalled else "",
    )


def _pending_row(pending: Pending, people: People, *, named: bool, zone: tzinfo | None) -> MessageRow:
    tick = Tick.FAILED if pending.failure else Tick.SENT if pending.settled_seq else Tick.WAITING
    return MessageRow(
        pending_key(pending),
        people.me.user_id,
        people.name(people.me.user_id),
        True,
        named,
        printable(pending.text),
        times.clock(pending.time_ms, zone),
        tick,
        failure=pending.failure,
    )


def _reply(ref_seq: int, thread: Thread, people: People) -> str:
    if not ref_seq:
        return ""
    target = thread.find(ref_seq)
    if target is None:
        return "an earlier message"
    return f"{people.name(target.sender_id)}: {one_line(message_text(target))}"
