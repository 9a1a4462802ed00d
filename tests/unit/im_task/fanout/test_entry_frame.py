"""An entry is encoded once, in full and, where it has a target, bare."""

from uuid import uuid4

from im_proto.gateway.v1.gateway_pb2 import MembershipChange
from im_proto.repo.v1.stream_pb2 import LogEntry, MemberEffect
from im_proto.v1.conversation_pb2 import MEMBER_STATE_IN, MEMBER_STATE_REMOVED
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.message_pb2 import Content, Mention, Text
from im_task.fanout.entry_frame import fan_out_entry


def entry(**fields: object) -> LogEntry:
    text = Text(text="hi @you", mentions=[Mention(user_id=7, offset=3, length=4)])
    defaults: dict[str, object] = {
        "conversation_id": 1,
        "seq": 4,
        "count": 3,
        "sender_id": 9,
        "client_message_id": uuid4().bytes,
        "body": Content(text=text).SerializeToString(),
    }
    return LogEntry(**{**defaults, **fields})  # type: ignore[arg-type]


def test_the_frame_pushes_the_message_with_the_epoch() -> None:
    made = fan_out_entry(entry(), epoch=5)
    push = ServerFrame.FromString(made.frame).message_push
    assert (push.epoch, push.message.seq, push.message.content.text.text) == (5, 4, "hi @you")
    assert made.mentioned_user_ids == [7]
    assert made.bare_frame == b""


def test_a_reply_has_a_bare_form_that_keeps_its_place_and_says_nothing() -> None:
    made = fan_out_entry(entry(ref_seq=2), epoch=1)
    bare = ServerFrame.FromString(made.bare_frame).message_push.message
    assert (bare.seq, bare.ref_seq) == (4, 2)
    assert not bare.HasField("content")


def test_member_changes_open_and_close_windows_at_the_entry() -> None:
    changed = [
        MemberEffect(user_id=1, state=MEMBER_STATE_IN),
        MemberEffect(user_id=2, state=MEMBER_STATE_REMOVED),
    ]
    made = fan_out_entry(entry(changed=changed, member_version=6), epoch=1)
    assert list(made.changes) == [
        MembershipChange(conversation_id=1, user_id=1, from_seq=4, member_version=6),
        MembershipChange(conversation_id=1, user_id=2, to_seq=4, member_version=6),
    ]
