from im_logic.conversations.conversation import Membership, Role
from im_logic.groups.entries import chunks, come_in, following_id, go_out, word_notice
from im_proto.repo.v1.stream_pb2 import AppendItem
from im_proto.v1.message_pb2 import MESSAGE_TYPE_NOTICE, Content, Dissolved, Notice


def test_a_notice_does_not_count() -> None:
    item = AppendItem()
    word_notice(item, Notice(dissolved=Dissolved(actor_id=1)))
    assert (item.type, item.countable) == (MESSAGE_TYPE_NOTICE, False)
    assert Content.FromString(item.body).notice.dissolved.actor_id == 1


def test_who_comes_in_keeps_a_mute_they_had() -> None:
    item = AppendItem()
    come_in(item, [1, 2], role=Role.MEMBER)
    go_out(item, 3, Membership.REMOVED)
    assert [(one.user_id, one.state, one.role, one.muted_until_time) for one in item.effects.members] == [
        (1, Membership.IN, Role.MEMBER, -1),
        (2, Membership.IN, Role.MEMBER, -1),
        (3, Membership.REMOVED, 0, -1),
    ]


def test_no_entry_carries_more_than_a_hundred() -> None:
    assert [len(some) for some in chunks(list(range(250)))] == [100, 100, 50]


def test_a_further_entry_has_the_same_id_at_every_repetition() -> None:
    operation_id = b"0123456789abcdef"
    assert following_id(operation_id, 1) == following_id(operation_id, 1)
    assert len({following_id(operation_id, number) for number in range(5)}) == 5
