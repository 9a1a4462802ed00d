"""The machine as a whole: order of what it does, and its wishes over reconnects."""

from collections.abc import Callable

import pytest

from im_proto.v1 import conversation_pb2, read_pb2, sync_pb2
from im_proto.v1 import conversation_pb2 as c
from im_sdk._errors import ClosedError, OutboxFullError
from im_sdk._events import ConversationChanged
from im_sdk._settings import SessionSettings
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import ModelServer

MakeDevice = Callable[..., Device]


def test_requests_wait_for_the_connection(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device()
    ticket = made.ask("get_conversation", conversation_pb2.GetConversationRequest(conversation_id=log.conversation_id))
    made.online()
    assert made.answers[ticket].answer.head.conversation.conversation_id == log.conversation_id


def test_requests_survive_a_lost_connection(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    ticket = made.ask("get_conversation", conversation_pb2.GetConversationRequest(conversation_id=log.conversation_id))
    made.drop()
    made.sleep(2)
    assert made.answers[ticket].error is None


def test_nothing_is_said_before_hello(server: ModelServer, device: MakeDevice) -> None:
    """A head whose answer is outdated is asked once more, but not of the connection that was just lost."""
    log = server.make({1, 2})
    made = device().online()
    server._account_event(1, joined=sync_pb2.Joined(conversation_id=log.conversation_id))
    made.deliver(1)
    server._account_event(1, left=sync_pb2.Left(conversation_id=log.conversation_id, state=c.MEMBER_STATE_LEFT))
    assert made.connection is not None
    made.hear(made.connection.outgoing.pop())
    made.drop()
    made.sleep(2)
    assert made.connection is not None
    assert [frame.WhichOneof("operation") for frame in made.connection.requests][:1] == ["hello"]


def test_a_cancelled_request_is_not_answered(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    ticket = made.ask("get_conversation", conversation_pb2.GetConversationRequest(conversation_id=log.conversation_id))
    made.session.cancel(ticket)
    made.settle()
    assert made.answers == {}


def test_close_fails_everything(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    assert made.connection is not None
    client_message_id = made.send(log.conversation_id, "into the void")
    ticket = made.ask("view", read_pb2.ViewRequest())
    made.session.close(made.now)
    made.pump()
    assert isinstance(made.refused[client_message_id], ClosedError)
    assert isinstance(made.answers[ticket].error, ClosedError)
    assert made.session.deadline() == float("inf")


def test_the_outbox_is_bounded(device: MakeDevice, server: ModelServer) -> None:
    log = server.make({1, 2})
    made = device(settings=SessionSettings(outbox_limit=2))
    made.send(log.conversation_id, "a")
    made.send(log.conversation_id, "b")
    with pytest.raises(OutboxFullError):
        made.send(log.conversation_id, "c")


def test_a_message_written_before_the_first_connection_is_sent(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device()
    made.send(log.conversation_id, "eager")
    made.online()
    assert made.texts(log.conversation_id) == ["eager"]


def test_a_light_sync_finds_what_no_push_told(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    server.push_filter = lambda: False
    server.append(log, 2, "lost on the way")
    made.sleep(200)
    assert made.texts(log.conversation_id) == []
    made.sleep(200)
    assert made.texts(log.conversation_id) == ["lost on the way"]


def test_ids_follow_the_servers_clock(server: ModelServer, device: MakeDevice) -> None:
    server.time += 3_600_000
    made = device().online()
    made_ms = int(made.session.new_id(made.now).replace("-", "")[:12], 16)
    assert abs(made_ms - server.time) < 1_000


def test_the_list_is_complete_after_the_first_sync(server: ModelServer, device: MakeDevice) -> None:
    logs = [server.make({1, 2}) for _ in range(7)]
    made = device().online()
    expected = [log.conversation_id for log in reversed(logs)]
    assert [c.conversation_id for c in made.session.inbox.pictures()] == expected
    assert len(made.of(ConversationChanged)) == 7
