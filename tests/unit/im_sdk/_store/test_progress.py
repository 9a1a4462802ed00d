from collections.abc import Callable

from im_sdk._commands import SendAcknowledged, SendRefused
from im_sdk._errors import ClosedError
from im_sdk._store.progress import collect
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import ModelServer


def test_a_step_has_the_messages_with_the_cursor_that_stands_for_them(
    server: ModelServer, device: Callable[..., Device]
) -> None:
    log = server.make({1, 2})
    made = device().online()
    collect(made.session.inbox, [], [])
    made.events.clear()
    server.append(log, 2, "one")
    server.append(log, 2, "two")
    made.settle()
    progress = collect(made.session.inbox, made.events, made.commands)
    assert [item.seq for item in progress.log] == [1, 2]  # type: ignore[union-attr]
    assert progress.cursors == {log.conversation_id: (1, 2)}
    picture = progress.conversations[log.conversation_id]
    assert picture is not None
    assert (picture.unread, picture.local_seq) == (2, 2)
    assert not collect(made.session.inbox, [], [])


def test_what_is_settled_leaves_and_what_was_given_up_stays(server: ModelServer, device: Callable[..., Device]) -> None:
    log = server.make({1, 2})
    made = device().online()
    stored = made.send(log.conversation_id, "stored")
    made.settle()
    closed = made.send(log.conversation_id, "given up")
    made.session.close(made.now)
    made.pump()
    assert isinstance(made.refused[closed], ClosedError)
    ends = [command for command in made.commands if isinstance(command, SendAcknowledged | SendRefused)]
    assert collect(made.session.inbox, [], ends).settled == [stored]
