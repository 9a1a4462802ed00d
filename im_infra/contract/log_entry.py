"""How an entry of a log becomes what clients see.

A *bare* entry keeps its place in the log and says nothing: it stands where the reader may not see the entry's target.
"""

from uuid import UUID

from im_proto.repo.v1.stream_pb2 import LogEntry
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.message_pb2 import Message, MessagePush


def to_message(entry: LogEntry) -> Message:
    """The entry as clients see it, in the state that repo gave it."""
    message = Message(
        conversation_id=entry.conversation_id,
        seq=entry.seq,
        count=entry.count,
        message_id=entry.message_id,
        sender_id=entry.sender_id,
        client_message_id=str(UUID(bytes=entry.client_message_id)),
        server_time=entry.server_time,
        type=entry.type,  # type: ignore[arg-type]  # an int of the same enum
        ref_seq=entry.ref_seq,
        changed_seq=entry.changed_seq,
        edit_time=entry.edit_time,
        recalled=entry.recalled,
    )
    if entry.body:
        message.content.ParseFromString(entry.body)
    return message


def push_frame(message: Message, *, epoch: int) -> bytes:
    """A serialised ServerFrame that pushes `message`: encoded once, the same bytes for every recipient."""
    return ServerFrame(message_push=MessagePush(message=message, epoch=epoch)).SerializeToString()


def bare(message: Message) -> Message:
    """A copy that keeps the place and says nothing."""
    copy = Message()
    copy.CopyFrom(message)
    copy.ClearField("content")
    return copy
