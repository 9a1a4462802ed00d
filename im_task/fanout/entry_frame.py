"""An entry of a log as gateways fan it out."""

from im_infra.contract.log_entry import bare, push_frame, to_message
from im_proto.gateway.v1.gateway_pb2 import FanOutEntry, MembershipChange
from im_proto.repo.v1.stream_pb2 import LogEntry
from im_proto.v1.conversation_pb2 import MEMBER_STATE_IN
from im_proto.v1.message_pb2 import Message


def fan_out_entry(entry: LogEntry, *, epoch: int) -> FanOutEntry:
    """Encode `entry` once, for readers who may see its target and, bare, for those who may not."""
    message = to_message(entry)
    return FanOutEntry(
        seq=entry.seq,
        count=entry.count,
        ref_seq=entry.ref_seq,
        frame=push_frame(message, epoch=epoch),
        bare_frame=push_frame(bare(message), epoch=epoch) if entry.ref_seq else b"",
        mentioned_user_ids=_mentioned(message),
        changes=[
            MembershipChange(
                conversation_id=entry.conversation_id,
                user_id=change.user_id,
                from_seq=entry.seq if change.state == MEMBER_STATE_IN else 0,
                to_seq=0 if change.state == MEMBER_STATE_IN else entry.seq,
                member_version=entry.member_version,
            )
            for change in entry.changed
        ],
    )


def _mentioned(message: Message) -> list[int]:
    return sorted({mention.user_id for mention in message.content.text.mentions})
