"""What is on screen decides what is read."""

from collections.abc import Callable

from im_proto.v1 import read_pb2
from im_sdk._settings import CatchUp, SessionSettings
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import ModelServer

MakeDevice = Callable[..., Device]


ON_SCREEN = SessionSettings(catch_up=CatchUp.ON_SCREEN)


def test_only_what_is_on_screen_is_read(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device(settings=ON_SCREEN).online()
    made.drop()
    server.append(log, 2, "missed")
    made.sleep(2)
    assert made.texts(log.conversation_id) == []
    assert made.session.inbox.pictures()[0].stale
    assert made.session.inbox.pictures()[0].unread == 1
    made.session.view([log.conversation_id], made.now)
    made.pump()
    made.settle()
    assert made.texts(log.conversation_id) == ["missed"]
    assert not made.session.inbox.pictures()[0].stale


def test_large_conversations_show_marks_until_they_are_viewed(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2}, large=True)
    made = device().online()
    server.push_filter = lambda: False
    for number in range(3):
        server.append(log, 2, f"{number}")
    mark = read_pb2.HeadMark(conversation_id=log.conversation_id, epoch=1, max_seq=3, max_count=3)
    server.push(1, head_push=read_pb2.HeadPush(heads=[mark]))
    made.settle()
    assert made.texts(log.conversation_id) == []
    conversation = made.session.inbox.pictures()[0]
    assert (conversation.max_seq, conversation.unread, conversation.stale) == (3, 3, True)
    made.session.view([log.conversation_id], made.now)
    made.pump()
    made.settle()
    assert made.texts(log.conversation_id) == ["0", "1", "2"]


def test_a_group_that_grew_large_while_on_screen_is_viewed(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    made.session.view([log.conversation_id], made.now)
    made.pump()
    made.settle()
    server.push_filter = lambda: False
    server.append(log, 2, "hello")
    mark = read_pb2.HeadMark(conversation_id=log.conversation_id, epoch=1, max_seq=1, max_count=1)
    server.push(1, head_push=read_pb2.HeadPush(heads=[mark]))
    made.settle()
    assert list(made.asked("view")[-1].conversation_ids) == [log.conversation_id]
    assert made.texts(log.conversation_id) == ["hello"]
    assert made.session.inbox.pictures()[0].large


def test_the_view_is_told_again_after_a_reconnect(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2}, large=True)
    made = device().online()
    made.session.view([log.conversation_id], made.now)
    made.pump()
    made.settle()
    made.drop()
    made.sleep(2)
    assert [list(request.conversation_ids) for request in made.asked("view")] == [[log.conversation_id]]


def test_what_is_on_screen_is_named_in_the_sync(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    made.session.view([log.conversation_id, 999], made.now)
    made.pump()
    made.settle()
    made.drop()
    made.sleep(2)
    named = made.asked("hello")[0].sync.open
    assert [(each.conversation_id, each.seq, each.epoch) for each in named] == [(log.conversation_id, 0, 1)]


def test_a_view_chosen_while_offline_is_told_later(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2}, large=True)
    made = device()
    made.session.view([log.conversation_id], made.now)
    made.online()
    assert [list(request.conversation_ids) for request in made.asked("view")] == [[log.conversation_id]]
