"""The outbox alone: order per conversation, whatever the answers and the connection do."""

import random

from hypothesis import given
from hypothesis import strategies as st

from im_proto.v1 import message_pb2
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import from_table
from im_sdk._outbox import Draft, Outbox


@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "take", "answer", "refuse", "final", "lost", "wait"]), st.integers(0, 2))
    ),
    st.integers(0, 99),
)
def test_drafts_of_a_conversation_are_settled_in_order(moves: list[tuple[str, int]], seed: int) -> None:
    """With one under way per conversation, the server meets them in the order of adding, each until it is settled."""
    source = random.Random(seed)
    box = Outbox(pipeline=1, answer_timeout_s=15, source=source)
    now = 0.0
    added: dict[int, list[str]] = {0: [], 1: [], 2: []}
    settled: dict[int, list[str]] = {0: [], 1: [], 2: []}
    under_way: dict[int, Draft] = {}

    def take() -> None:
        for draft in box.take(now):
            assert draft.conversation_id not in under_way
            under_way[draft.conversation_id] = draft

    def settle(draft: Draft) -> None:
        settled[draft.conversation_id].append(draft.client_message_id)

    for number, (move, key) in enumerate(moves):
        draft = under_way.get(key)
        if move == "add":
            added[key].append(f"{number}")
            box.add(Draft(key, f"{number}", message_pb2.Content()))
        elif move == "take":
            take()
        elif move == "wait":
            now += 5
        elif move == "lost":
            under_way.clear()
            box.connection_lost()
        elif draft is not None:
            del under_way[key]
            if move == "answer":
                assert box.acknowledge(draft.client_message_id) is draft
                settle(draft)
            else:
                number_ = ErrorNumber.OVERLOADED if move == "refuse" else ErrorNumber.MUTED
                if box.refuse(draft, from_table(number_, ""), now):
                    settle(draft)
    while len(box):
        now = max(now + 0.01, min(box.deadline(), now + 60))
        take()
        for draft in list(under_way.values()):
            del under_way[draft.conversation_id]
            box.acknowledge(draft.client_message_id)
            settle(draft)
    assert settled == added
