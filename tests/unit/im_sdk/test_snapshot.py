from collections.abc import Callable

from im_sdk._events import ConversationChanged
from im_sdk._snapshot import Snapshot
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import ModelServer


def test_an_empty_one_starts_at_the_beginning() -> None:
    assert Snapshot().point.is_start


def test_a_session_goes_on_where_another_ended(server: ModelServer, device: Callable[..., Device]) -> None:
    """What was missed in between comes as events, what was shown does not come again."""
    log = server.make({1, 2})
    first = device().online()
    server.append(log, 2, "seen")
    first.settle()
    first.drop()
    server.append(log, 2, "missed")
    later = device(snapshot=first.session.snapshot()).online()
    assert later.texts(log.conversation_id) == ["missed"]


def test_the_list_is_there_before_the_connection(server: ModelServer, device: Callable[..., Device]) -> None:
    log = server.make({1, 2}, title="Engines")
    first = device().online()
    later = device(snapshot=first.session.snapshot())
    assert [c.title for c in later.session.inbox.pictures()] == ["Engines"]
    later.online()
    assert later.session.inbox.pictures() == first.session.inbox.pictures()
    assert not later.of(ConversationChanged), log
