import random

import pytest

from im_proto.v1 import message_pb2
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ImError, from_table
from im_sdk._outbox import Draft, Outbox


def outbox(pipeline: int = 1) -> Outbox:
    return Outbox(pipeline=pipeline, answer_timeout_s=15, source=random.Random(1))


def draft(conversation_id: int, name: str) -> Draft:
    return Draft(conversation_id, name, message_pb2.Content())


def names(drafts: list[Draft]) -> list[str]:
    return [each.client_message_id for each in drafts]


def busy(retry_after_ms: int = 0) -> ImError:
    error = from_table(ErrorNumber.OVERLOADED, "busy")
    error.retry_after_ms = retry_after_ms
    return error


def test_one_a_conversation_is_under_way() -> None:
    box = outbox()
    for each in (draft(1, "a"), draft(1, "b"), draft(2, "c")):
        box.add(each)
    assert names(box.take(0)) == ["a", "c"]
    assert names(box.take(0)) == []
    box.acknowledge("a")
    assert names(box.take(0)) == ["b"]


def test_pipelining_lets_several_go() -> None:
    box = outbox(pipeline=2)
    for name in "abc":
        box.add(draft(1, name))
    assert names(box.take(0)) == ["a", "b"]
    box.acknowledge("b")
    assert names(box.take(0)) == ["c"]


def test_after_a_lost_connection_all_go_again_in_order_with_the_next_attempt() -> None:
    box = outbox(pipeline=2)
    for name in "abc":
        box.add(draft(1, name))
    box.take(0)
    box.connection_lost()
    again = box.take(1)
    assert [(each.client_message_id, each.attempt) for each in again] == [("a", 2), ("b", 2)]


def test_nothing_overtakes_a_refused_draft() -> None:
    box = outbox()
    first, second = draft(1, "a"), draft(1, "b")
    box.add(first)
    box.add(second)
    box.take(0)
    assert not box.refuse(first, busy(retry_after_ms=5_000), 0)
    assert box.take(4.9) == []
    assert box.deadline() > 5
    assert names(box.take(box.deadline())) == ["a"]
    assert first.attempt == 2


def test_a_final_refusal_lets_the_next_go() -> None:
    box = outbox()
    first = draft(1, "a")
    box.add(first)
    box.add(draft(1, "b"))
    box.take(0)
    assert box.refuse(first, from_table(ErrorNumber.MUTED, "no"), 0)
    assert names(box.take(0)) == ["b"]


def test_a_bug_of_the_servers_is_met_twice() -> None:
    box = outbox()
    first = draft(1, "a")
    box.add(first)
    box.take(0)
    bug = from_table(ErrorNumber.INTERNAL, "bug")
    assert not box.refuse(first, bug, 0)
    box.take(box.deadline())
    assert box.refuse(first, bug, 1)
    assert len(box) == 0


def test_what_is_not_answered_goes_again() -> None:
    box = outbox()
    box.add(draft(1, "a"))
    box.take(0)
    assert box.deadline() == 15
    box.expire(14)
    assert box.take(14) == []
    box.expire(15)
    assert names(box.take(15)) == ["a"]


def test_a_late_acknowledgement_counts_once() -> None:
    box = outbox()
    box.add(draft(1, "a"))
    box.take(0)
    box.expire(15)
    assert box.acknowledge("a") is not None
    assert box.acknowledge("a") is None
    assert box.take(16) == []


def test_only_what_was_never_written_is_taken_back() -> None:
    box = outbox()
    box.add(draft(1, "a"))
    box.add(draft(1, "b"))
    box.take(0)
    assert not box.withdraw("a")
    assert box.withdraw("b")
    assert not box.withdraw("b")
    assert [each.client_message_id for each in box] == ["a"]


def test_a_renewed_draft_keeps_its_place_and_waits_until_its_id_is_kept() -> None:
    box = outbox()
    first = draft(1, "a")
    box.add(first)
    box.add(draft(1, "b"))
    box.take(0)
    box.renew(first, "new", park=True)
    assert box.take(1) == []
    box.release(1)
    again = box.take(1)
    assert [(each.client_message_id, each.attempt) for each in again] == [("new", 1)]
    assert box.acknowledge("new") is first


@pytest.mark.parametrize("written", [True, False])
def test_clearing_gives_back_everything_in_order(written: bool) -> None:
    box = outbox()
    for name, conversation_id in (("a", 1), ("b", 2), ("c", 1)):
        box.add(draft(conversation_id, name))
    if written:
        box.take(0)
    assert names(box.clear()) == ["a", "b", "c"]
    assert len(box) == 0
    assert box.deadline() == float("inf")
