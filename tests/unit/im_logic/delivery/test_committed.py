import uuid

from im_logic.delivery.committed import frames_of_entry, frames_of_result, goes_large, goes_small, to_entry
from im_proto.repo.v1.stream_pb2 import AppendItem, AppendResult, MemberEffect
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.message_pb2 import Content, Text

CLIENT_ID = uuid.uuid4()
ITEM = AppendItem(
    sender_id=1,
    client_message_id=CLIENT_ID.bytes,
    type=1,
    ref_seq=2,
    body=Content(text=Text(text="hello")).SerializeToString(),
)
RESULT = AppendResult(
    conversation_id=5, seq=3, count=2, message_id=9, server_time=1_000, member_version=4, fanout=1, epoch=6
)


def test_what_was_just_appended_is_pushed_as_it_would_be_read() -> None:
    """Two ways to the same bytes: a reader must not see a difference between the first push and a repeated one."""
    now = frames_of_result(ITEM, RESULT, str(CLIENT_ID))
    later = frames_of_entry(to_entry(ITEM, RESULT), RESULT.epoch)
    assert [ServerFrame.FromString(frame) for frame in now] == [ServerFrame.FromString(frame) for frame in later]


def test_the_bare_frame_keeps_the_place_and_says_nothing() -> None:
    full, bare = (ServerFrame.FromString(frame).message_push for frame in frames_of_result(ITEM, RESULT, "id"))
    assert full.message.content.text.text == "hello"
    assert not bare.message.HasField("content")
    assert (bare.message.seq, bare.message.ref_seq, bare.epoch) == (3, 2, 6)


def test_without_a_target_there_is_no_bare_frame() -> None:
    plain = AppendItem(client_message_id=CLIENT_ID.bytes, type=1, body=ITEM.body)
    assert frames_of_result(plain, RESULT, "id")[1] == b""
    assert frames_of_entry(to_entry(plain, RESULT), 6)[1] == b""


def test_an_entry_that_changed_members_says_under_which_version() -> None:
    changed = AppendResult(member_version=4, changed=[MemberEffect(user_id=7, state=1)])
    assert (to_entry(ITEM, changed).member_version, to_entry(ITEM, RESULT).member_version) == (4, 0)


def test_both_ways_while_the_class_has_just_changed() -> None:
    ways = {
        (fanout, before): (goes_small(result), goes_large(result))
        for fanout, before in ((1, 0), (2, 0), (1, 2), (2, 1))
        for result in [AppendResult(fanout=fanout, previous_fanout=before)]
    }
    assert ways == {(1, 0): (True, False), (2, 0): (False, True), (1, 2): (True, True), (2, 1): (True, True)}
