"""Frames of the server, each to whom it concerns."""

from collections.abc import Callable

import pytest

from im_proto.v1 import frame_pb2, message_pb2, read_pb2, session_pb2
from im_sdk._error_table import ErrorNumber
from im_sdk._events import (
    ConnectionState,
    MessageReceived,
    Typing,
)
from im_sdk._settings import SessionSettings
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import ModelServer, error

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


def test_an_answer_of_another_kind_fails_the_request(device: MakeDevice) -> None:
    made = device().online()
    ticket = made.ask("view", read_pb2.ViewRequest())
    assert made.connection is not None
    made.connection.outgoing.clear()
    number = made.connection.requests[-1].request_id
    made.hear(frame_pb2.ServerFrame(request_id=number, ping=session_pb2.PingResponse()))
    assert made.answers[ticket].error is not None


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


def test_frames_of_a_newer_server_are_passed_over(device: MakeDevice) -> None:
    made = device().online()
    made.hear(frame_pb2.ServerFrame())
    assert made.session.state.value == "online"


def test_an_error_of_no_request_is_about_the_hello(server: ModelServer, device: MakeDevice) -> None:
    made = device()
    made.start()
    made.hear(frame_pb2.ServerFrame(error=error(ErrorNumber.ACCOUNT_DISABLED)))
    assert made.session.state is ConnectionState.CLOSED


def test_an_error_of_what_is_not_repeated_is_passed_over(device: MakeDevice) -> None:
    made = device().online()
    made.hear(frame_pb2.ServerFrame(error=error(ErrorNumber.RATE_LIMITED)))
    assert made.session.state is ConnectionState.ONLINE
