"""The machine as a whole: order of what it does, and its wishes over reconnects."""

from collections.abc import Callable

import pytest

from im_proto.v1 import conversation_pb2, frame_pb2, message_pb2, read_pb2, session_pb2
from im_sdk._errors import ClosedError, OutboxFullError
from im_sdk._events import ConnectionState, ConversationChanged, MessageReceived, Typing
from im_sdk._settings import SessionSettings
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import ModelServer

MakeDevice = Callable[..., Device]


def test_pushes_before_the_last_page_of_the_sync_are_held_back(server: ModelServer, device: MakeDevice) -> None:
    """They are applied after it, in order, and none is lost."""
    logs = [server.make({1, 2}) for _ in range(10)]
    made = device()
    made.start()
    for log in logs:
        server.append(log, 2, "early")
    made.deliver(6)
    assert made.session.state is ConnectionState.SYNCING
    assert not made.of(MessageReceived)
    made.settle()
    assert made.session.state is ConnectionState.ONLINE
    for log in logs:
        assert made.texts(log.conversation_id) in (["early"], [])  # the page of its head may have covered it
        assert made.session.inbox.tracks[log.conversation_id].seq == 1


def test_more_early_pushes_than_are_kept_are_read(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    settings = SessionSettings(held_pushes=3)
    made = device(settings=settings)
    made.start()
    conn = server.connections[-1]
    hello = conn.outgoing.popleft()
    for number in range(10):
        server.append(log, 2, f"{number}")
    made.settle()
    made.hear(hello)
    made.settle()
    made.sleep(3)
    assert made.texts(log.conversation_id) == [f"{number}" for number in range(10)]


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


def test_a_cancelled_request_is_not_answered(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    ticket = made.ask("get_conversation", conversation_pb2.GetConversationRequest(conversation_id=log.conversation_id))
    made.session.cancel(ticket)
    made.settle()
    assert made.answers == {}


def test_an_answer_of_another_kind_fails_the_request(device: MakeDevice) -> None:
    made = device().online()
    ticket = made.ask("view", read_pb2.ViewRequest())
    assert made.connection is not None
    made.connection.outgoing.clear()
    number = made.connection.requests[-1].request_id
    made.hear(frame_pb2.ServerFrame(request_id=number, ping=session_pb2.PingResponse()))
    assert made.answers[ticket].error is not None


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


def test_typing_is_said_only_while_online(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    one, two = device(1).online(), device(2)
    request = message_pb2.TypingRequest(conversation_id=log.conversation_id)
    two.session.tell("typing", request)
    two.online()
    two.session.tell("typing", request)
    two.pump()
    one.settle()
    assert one.of(Typing) == [Typing(log.conversation_id, 2)]


def test_a_light_sync_finds_what_no_push_told(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    server.push_filter = lambda: False
    server.append(log, 2, "lost on the way")
    made.sleep(200)
    assert made.texts(log.conversation_id) == []
    made.sleep(200)
    assert made.texts(log.conversation_id) == ["lost on the way"]


@pytest.mark.parametrize("named", [True, False])
def test_a_check_finds_it_at_once(server: ModelServer, device: MakeDevice, named: bool) -> None:
    log = server.make({1, 2})
    made = device().online()
    server.push_filter = lambda: False
    server.append(log, 2, "lost on the way")
    keys = [log.conversation_id] if named else []
    server.push(1, check=session_pb2.Check(account=not named, conversation_ids=keys))
    made.settle()
    assert made.texts(log.conversation_id) == ["lost on the way"]


def test_lagging_is_followed_by_a_sync(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    server.push_filter = lambda: False
    server.append(log, 2, "dropped")
    server.push(1, lagged=session_pb2.Lagged(dropped=1))
    made.settle()
    assert made.texts(log.conversation_id) == ["dropped"]


def test_the_view_is_told_again_after_a_reconnect(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2}, large=True)
    made = device().online()
    made.session.view([log.conversation_id], made.now)
    made.pump()
    made.settle()
    made.drop()
    made.sleep(2)
    assert [list(request.conversation_ids) for request in made.asked("view")] == [[log.conversation_id]]


def test_receipts_are_told_at_once_then_once_a_second(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    for number in range(5):
        server.append(log, 2, f"{number}")
        made.settle()
    assert server.received == {(1, log.conversation_id): 1}
    made.sleep(1)
    assert server.received == {(1, log.conversation_id): 5}


def test_no_receipts_where_nobody_wants_them(server: ModelServer, device: MakeDevice) -> None:
    big = server.make(set(range(1, 300)))
    made = device().online()
    server.append(big, 2, "hello")
    made.settle()
    made.sleep(2)
    assert server.received == {}


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
