"""An entry that is on disk and has to reach its readers."""

from collections.abc import Sequence
from dataclasses import dataclass

from im_infra.contract.log_entry import bare, push_frame, to_message
from im_infra.observability.tracing import Span
from im_logic.asker import Origin
from im_logic.conversations.conversation import FANOUT_LARGE, FANOUT_SMALL, Conversation
from im_logic.delivery.confirmations import Countdown
from im_proto.repo.v1.stream_pb2 import AppendItem, AppendResult, LogEntry, MemberEffect
from im_proto.v1.frame_pb2 import ServerFrame


@dataclass(slots=True)
class Committed:
    """One entry on its way out to the members of a conversation whose fan-out is small, or was until lately."""

    conversation_id: int
    seq: int
    ref_seq: int
    member_version: int
    """The conversation's, at or after the entry: who receives is decided by a state at least as new."""
    sender_id: int
    frame: bytes
    bare_frame: bytes
    """Empty where there is no target."""
    countdown: Countdown
    known: Conversation | None = None
    """The state it was decided by."""
    skip: Origin | None = None
    trace: Span | None = None
    """The delivery's span, where the entry is sampled."""


@dataclass(slots=True)
class MembersChanged:
    """What an entry did to the members."""

    conversation_id: int
    seq: int
    time: int
    member_version: int
    changed: Sequence[MemberEffect]
    large: bool
    whole_history: bool = False
    """Those who came in see the log from its beginning."""
    turned_large: Conversation | None = None
    """The state before it, where this entry (or one lately) turned the conversation large."""


def frames_of_result(item: AppendItem, result: AppendResult, client_text: str) -> tuple[bytes, bytes]:
    """The pushed frame of an entry just appended, and its bare form where there is a target."""
    frame = ServerFrame()
    push = frame.message_push
    push.epoch = result.epoch
    message = push.message
    message.conversation_id = result.conversation_id
    message.seq = result.seq
    message.count = result.count
    message.message_id = result.message_id
    message.sender_id = item.sender_id
    message.client_message_id = client_text
    message.server_time = result.server_time
    message.type = item.type  # type: ignore[assignment]  # an int of the same enum
    ref_seq = item.ref_seq
    if not ref_seq:
        message.content.ParseFromString(item.body)
        return frame.SerializeToString(), b""
    message.ref_seq = ref_seq
    bare_frame = frame.SerializeToString()
    if item.body:
        message.content.ParseFromString(item.body)
    return frame.SerializeToString(), bare_frame


def frames_of_entry(entry: LogEntry, epoch: int) -> tuple[bytes, bytes]:
    """The same for an entry that was read, in its present state."""
    message = to_message(entry)
    frame = push_frame(message, epoch=epoch)
    return frame, push_frame(bare(message), epoch=epoch) if entry.ref_seq else b""


def to_entry(item: AppendItem, result: AppendResult) -> LogEntry:
    """What repo would read back now."""
    return LogEntry(
        conversation_id=result.conversation_id,
        seq=result.seq,
        count=result.count,
        message_id=result.message_id,
        sender_id=item.sender_id,
        client_message_id=item.client_message_id,
        type=item.type,
        ref_seq=item.ref_seq,
        server_time=result.server_time,
        body=item.body,
        member_version=result.member_version if result.changed else 0,
        changed=result.changed,
    )


def goes_small(result: AppendResult) -> bool:
    """The class is small, or was until lately."""
    return FANOUT_SMALL in (result.fanout, result.previous_fanout)


def goes_large(result: AppendResult) -> bool:
    """The class is large, or was until lately."""
    return FANOUT_LARGE in (result.fanout, result.previous_fanout)
