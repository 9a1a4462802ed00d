from hypothesis import given
from hypothesis import strategies as st

from im_logic.conversations.convert import to_conversation
from im_logic.delivery.recipients import recipients
from im_proto.repo.v1.conversation_pb2 import MemberRow, Window
from tests.logic_support.scripted_repo import group

WINDOWS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 12)).map(lambda pair: (pair[0], pair[1] and max(pair))), max_size=2
)


@given(st.lists(WINDOWS, max_size=4), st.integers(1, 14), st.integers(0, 14))
def test_the_short_way_says_what_the_windows_say(windows: list[list[tuple[int, int]]], seq: int, ref_seq: int) -> None:
    state = group(5)
    for user_id, stays in enumerate(windows, start=1):
        ordered = (
            sorted(stays, key=lambda stay: (not stay[1], stay))[:1] if any(not last for _, last in stays) else stays
        )
        state.members.append(
            MemberRow(
                user_id=user_id,
                state=1,
                role=1,
                windows=[Window(from_seq=first, to_seq=last) for first, last in ordered],
            )
        )
    conversation = to_conversation(state, asked_for=0, asked_at=0.0)
    full, bare = recipients(conversation, seq, ref_seq)
    sees = {user_id for user_id, place in conversation.places.items() if place.sees(seq)}
    target = {user_id for user_id, place in conversation.places.items() if not ref_seq or place.sees(ref_seq)}
    assert set(full) == sees & target
    assert set(bare) == sees - target
