from im_logic.conversations.conversation import Membership
from im_logic.conversations.convert import to_conversation
from im_proto.repo.v1.conversation_pb2 import ConversationState, MemberRow, Window
from tests.logic_support.scripted_repo import group


def test_a_private_chat_has_its_two_people_whatever_rows_there_are() -> None:
    state = ConversationState(conversation_id=5, kind=1, status=1, fanout=1, low_user_id=1, high_user_id=2)
    chat = to_conversation(state, asked_for=0, asked_at=3.0)
    assert chat.present == (1, 2)
    assert chat.complete
    assert chat.place(2).state == Membership.IN


def test_a_large_group_is_complete_only_with_everybody_listed() -> None:
    state = group(5, 1, 2)
    state.fanout = 2
    assert to_conversation(state, asked_for=0, asked_at=0.0).complete
    state.member_count = 900
    large = to_conversation(state, asked_for=7, asked_at=0.0)
    assert not large.complete
    assert large.knows(7)
    assert not large.knows(8)


def test_the_world_room_is_never_complete() -> None:
    state = ConversationState(conversation_id=5, kind=3, status=1, fanout=2)
    assert not to_conversation(state, asked_for=7, asked_at=0.0).complete


def test_from_where_on_everybody_present_sees_everything() -> None:
    state = group(5, 1, 2)
    state.members.append(
        MemberRow(user_id=3, role=1, state=1, windows=[Window(from_seq=2, to_seq=4), Window(from_seq=8)])
    )
    state.members.append(MemberRow(user_id=4, role=1, state=2, windows=[Window(from_seq=1, to_seq=10)]))
    found = to_conversation(state, asked_for=0, asked_at=0.0)
    assert (found.present, found.steady_from) == ((1, 2, 3), 11)
