"""Sends and their answers, through frames."""

from collections.abc import Callable

import pytest

from im_proto.v1 import frame_pb2
from im_sdk._commands import DraftRenewed
from im_sdk._convert import text_content
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ConflictError
from im_sdk._outbox import Draft
from im_sdk._settings import SessionSettings
from im_sdk._snapshot import Snapshot
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import ModelServer, error

MakeDevice = Callable[..., Device]


def test_an_acknowledgement_puts_the_message_into_its_place(server: ModelServer, device: MakeDevice) -> None:
    """The acknowledgement may come before the push of what was stored before it."""
    log = server.make({1, 2})
    made = device().online()
    server.append(log, 2, "first")
    made.send(log.conversation_id, "second")
    assert made.connection is not None
    made.connection.outgoing.rotate(1)
    made.settle()
    assert made.texts(log.conversation_id) == ["first", "second"]


def test_a_lost_acknowledgement_is_asked_for_again(server: ModelServer, device: MakeDevice) -> None:
    """The message was stored: the next try answers duplicate, and it is shown once."""
    log = server.make({1, 2})
    made = device().online()
    key = made.send(log.conversation_id, "once")
    made.drop()
    made.sleep(2)
    assert made.acknowledged == {key: 1}
    assert made.texts(log.conversation_id) == ["once"]
    assert [(r.client_message_id, r.attempt) for r in made.asked("send")] == [(key, 2)]


def test_one_of_a_conversation_is_under_way(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    for number in range(3):
        made.send(log.conversation_id, f"{number}")
    assert len(made.asked("send")) == 1
    made.settle()
    assert len(made.asked("send")) == 3


def test_without_an_answer_it_is_repeated_on_the_same_connection(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    assert made.connection is not None
    key = made.send(log.conversation_id, "slow")
    answer = made.connection.outgoing.popleft()
    made.sleep(15)
    assert made.acknowledged == {key: 1}
    made.hear(answer)
    assert made.acknowledged == {key: 1}
    assert made.texts(log.conversation_id) == ["slow"]


def test_a_late_refusal_of_an_earlier_try_decides_nothing(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    assert made.connection is not None
    key = made.send(log.conversation_id, "slow")
    first = made.connection.outgoing.popleft().request_id
    made.now += 15
    made.session.tick(made.now)
    made.pump()
    made.hear(frame_pb2.ServerFrame(request_id=first, error=error(ErrorNumber.NOT_A_MEMBER)))
    made.settle()
    assert made.acknowledged == {key: 1}
    assert made.refused == {}


def test_an_id_too_old_that_was_never_sent_is_replaced(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    refusals = [error(ErrorNumber.TOO_OLD)]
    server.refuse = lambda _c, operation, _r: refusals.pop() if operation == "send" and refusals else None
    old = made.send(log.conversation_id, "kept for long")
    made.settle()
    renewed = [command for command in made.commands if isinstance(command, DraftRenewed)]
    assert [command.old_client_message_id for command in renewed] == [old]
    assert made.acknowledged == {renewed[0].client_message_id: 1}


def test_an_id_too_old_that_may_have_been_sent_is_refused(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    kept = Draft(log.conversation_id, "018f0000-0000-7000-8000-000000000000", text_content("from long ago"), attempt=1)
    made = device(snapshot=Snapshot(drafts=(kept,)))
    server.refuse = lambda _c, operation, _r: error(ErrorNumber.TOO_OLD) if operation == "send" else None
    made.online()
    assert made.refused[kept.client_message_id].number == ErrorNumber.TOO_OLD


def test_a_conflict_carries_what_is_stored(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    conflict = error(ErrorNumber.CONFLICT)
    conflict.stored.seq = 8
    server.refuse = lambda _c, operation, _r: conflict if operation == "send" else None
    key = made.send(log.conversation_id, "other words")
    made.settle()
    refusal = made.refused[key]
    assert isinstance(refusal, ConflictError)
    assert refusal.stored is not None
    assert refusal.stored.seq == 8


@pytest.mark.parametrize("pipeline", [1, 3])
def test_drafts_of_an_earlier_run_are_sent_in_order(server: ModelServer, device: MakeDevice, pipeline: int) -> None:
    log = server.make({1, 2})
    drafts = tuple(Draft(log.conversation_id, f"id-{n}", text_content(f"{n}"), attempt=1) for n in range(5))
    made = device(settings=SessionSettings(pipeline=pipeline), snapshot=Snapshot(drafts=drafts)).online()
    assert [entry.content.text.text for entry in log.entries] == ["0", "1", "2", "3", "4"]
    assert made.texts(log.conversation_id) == ["0", "1", "2", "3", "4"]


def test_what_the_sender_had_seen_counts_as_read(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    server.append(log, 2, "question")
    made.settle()
    assert made.session.inbox.pictures()[0].unread == 1
    made.send(log.conversation_id, "answer", seen_seq=1)
    made.settle()
    assert made.session.inbox.pictures()[0].read_seq == 1


def test_what_cannot_have_been_seen_yet_stays_unread(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    made.send(log.conversation_id, "answer", seen_seq=99)
    made.settle()
    server.append(log, 2, "later")
    made.settle()
    assert made.session.inbox.pictures()[0].unread == 1
