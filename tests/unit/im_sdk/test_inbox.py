"""What comes in about conversations, and what the application is told of it."""

from collections.abc import Callable

from im_proto.v1 import conversation_pb2 as c
from im_proto.v1 import message_pb2, read_pb2, session_pb2, sync_pb2
from im_sdk._error_table import ErrorNumber
from im_sdk._events import (
    ConversationChanged,
    ConversationLeft,
    ConversationRewound,
    MessageReceived,
    ReceiptReceived,
)
from im_sdk._models import Membership
from im_sdk._settings import CatchUp, SessionSettings
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import Connection, ModelServer, error

MakeDevice = Callable[..., Device]
ON_SCREEN = SessionSettings(catch_up=CatchUp.ON_SCREEN)


def test_what_was_there_before_the_first_connection_is_history(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    server.append(log, 2, "old")
    made = device().online()
    assert made.texts(log.conversation_id) == []
    assert made.session.inbox.pictures()[0].unread == 1
    server.append(log, 2, "new")
    made.settle()
    assert made.texts(log.conversation_id) == ["new"]


def test_what_was_missed_offline_comes_in_order(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    made.drop()
    for number in range(12):
        server.append(log, 2, f"{number}")
    made.sleep(2)
    assert made.texts(log.conversation_id) == [f"{number}" for number in range(12)]
    assert made.session.inbox.pictures()[0].unread == 12


def test_a_gap_is_read_after_a_moment(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    server.push_filter = lambda: False
    server.append(log, 2, "lost")
    server.push_filter = lambda: True
    server.append(log, 2, "pushed")
    made.settle()
    made.sleep(0.39)
    assert made.texts(log.conversation_id) == []
    made.sleep(0.7)
    assert made.texts(log.conversation_id) == ["lost", "pushed"]


def test_a_push_that_was_only_late_costs_no_read(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    server.append(log, 2, "one")
    server.append(log, 2, "two")
    made.deliver(1, swap=True)
    made.deliver()
    made.sleep(2)
    assert made.texts(log.conversation_id) == ["one", "two"]
    assert made.asked("pull") == []


def test_a_new_conversation_is_found_by_its_first_message(server: ModelServer, device: MakeDevice) -> None:
    made = device().online()
    log = server.make({1, 2}, title="Engines")
    server.append(log, 2, "hello")
    made.settle()
    assert made.texts(log.conversation_id) == ["hello"]
    assert [c.title for c in made.session.inbox.pictures()] == ["Engines"]
    assert made.session.inbox.pictures()[0].unread == 1


def test_a_mark_of_an_unknown_conversation_is_looked_up(server: ModelServer, device: MakeDevice) -> None:
    made = device().online()
    server.push_filter = lambda: False
    log = server.make({1, 2}, large=True)
    server.push(1, head_push=read_pb2.HeadPush(heads=[read_pb2.HeadMark(conversation_id=log.conversation_id)]))
    made.settle()
    assert len(made.session.inbox.pictures()) == 1


def test_a_restored_server_takes_entries_back(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    for number in range(1, 6):
        server.append(log, 2, f"{number}")
    made.settle()
    made.drop()
    server.rewind(log, keep=3)
    server.append(log, 2, "again")
    made.sleep(2)
    assert made.of(ConversationRewound) == [ConversationRewound(log.conversation_id, 3)]
    assert made.texts(log.conversation_id) == ["1", "2", "3", "4", "5", "again"]
    assert made.session.inbox.pictures()[0].max_seq == 4


def test_a_push_of_another_epoch_is_looked_into(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    for number in range(1, 4):
        server.append(log, 2, f"{number}")
    made.settle()
    server.rewind(log, keep=1)
    server.append(log, 2, "again")
    made.settle()
    assert made.texts(log.conversation_id) == ["1", "2", "3", "again"]
    server.push(1, message_push=message_pb2.MessagePush(message=log.entries[0], epoch=1))
    made.settle()
    assert made.session.inbox.tracks[log.conversation_id].epoch == 2


def test_receipts_of_others(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2}, kind=c.CONVERSATION_KIND_DIRECT)
    made = device().online()
    receipt = read_pb2.Receipt(conversation_id=log.conversation_id, user_id=2, received_seq=4, read_seq=3)
    server.push(1, receipt_push=read_pb2.ReceiptPush(receipts=[receipt]))
    made.settle()
    assert made.of(ReceiptReceived) == [ReceiptReceived(log.conversation_id, 2, 4, 3)]
    conversation = made.session.inbox.pictures()[0]
    assert (conversation.peer_received_seq, conversation.peer_read_seq) == (4, 3)


def test_reading_on_another_device(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    here, there = device(1).online(), device(1).online()
    for number in range(4):
        server.append(log, 2, f"{number}")
    here.settle()
    there.settle()
    there.ask("mark_read", read_pb2.MarkReadRequest(conversation_id=log.conversation_id, seq=3))
    here.settle()
    assert here.session.inbox.pictures()[0].unread == 1
    assert here.of(ConversationChanged)[-1].conversation.read_seq == 3


def test_leaving_and_being_removed(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    log.members.remove(1)
    left = sync_pb2.Left(conversation_id=log.conversation_id, state=c.MEMBER_STATE_REMOVED)
    server._account_event(1, left=left)
    made.settle()
    assert made.of(ConversationLeft) == [ConversationLeft(log.conversation_id, Membership.REMOVED)]
    assert made.session.inbox.pictures()[0].membership is Membership.REMOVED


def test_a_head_from_before_a_removal_does_not_bring_its_reader_back(server: ModelServer, device: MakeDevice) -> None:
    """Put in, the head asked; removed again, and told so before the answer is there."""
    log = server.make({1, 2})
    made = device().online()
    server._account_event(1, joined=sync_pb2.Joined(conversation_id=log.conversation_id))
    made.deliver(1)
    log.members.remove(1)
    server._account_event(1, left=sync_pb2.Left(conversation_id=log.conversation_id, state=c.MEMBER_STATE_REMOVED))
    assert made.connection is not None
    waiting = made.connection.outgoing
    waiting.appendleft(waiting.pop())
    made.settle()
    assert made.session.inbox.pictures()[0].membership is not Membership.IN


def test_a_synced_head_from_before_a_removal_does_not_either(server: ModelServer, device: MakeDevice) -> None:
    """A sync is asked while the account is in; it is removed, and told so before the sync's answer is there."""
    log = server.make({1, 2})
    made = device().online()
    server.append(log, 2, "moves the head")
    server.push(1, check=session_pb2.Check(account=True))
    made.deliver(2)
    log.members.remove(1)
    server._account_event(1, left=sync_pb2.Left(conversation_id=log.conversation_id, state=c.MEMBER_STATE_REMOVED))
    assert made.connection is not None
    waiting = made.connection.outgoing
    assert any(frame.HasField("sync") for frame in waiting)
    waiting.appendleft(waiting.pop())
    made.settle()
    assert made.session.inbox.pictures()[0].membership is not Membership.IN


def test_a_head_from_before_a_join_does_not_keep_its_reader_out(server: ModelServer, device: MakeDevice) -> None:
    """Removed, the head asked; put in again, and told so before the answer is there."""
    log = server.make({1, 2})
    made = device().online()
    log.members.remove(1)
    server._account_event(1, left=sync_pb2.Left(conversation_id=log.conversation_id, state=c.MEMBER_STATE_REMOVED))
    made.settle()
    made.session.inbox.ask_head(log.conversation_id, made.now)
    made.session.tick(made.now)
    made.pump()
    log.members.add(1)
    server._account_event(1, joined=sync_pb2.Joined(conversation_id=log.conversation_id))
    assert made.connection is not None
    waiting = made.connection.outgoing
    assert [frame.WhichOneof("event") for frame in waiting] == ["get_conversation", "account_event_push"]
    waiting.appendleft(waiting.pop())
    made.settle()
    assert made.session.inbox.pictures()[0].membership is Membership.IN


def test_a_synced_head_from_before_a_join_does_not_either(server: ModelServer, device: MakeDevice) -> None:
    """A sync is asked while the account is out; it is put in, and told so before the sync's answer is there."""
    log = server.make({1, 2})
    made = device().online()
    log.members.remove(1)
    server._account_event(1, left=sync_pb2.Left(conversation_id=log.conversation_id, state=c.MEMBER_STATE_REMOVED))
    made.settle()
    server.append(log, 2, "moves the head")
    server.push(1, check=session_pb2.Check(account=True))
    made.settle()
    server.push(1, check=session_pb2.Check(account=True))
    made.deliver(1)
    log.members.add(1)
    server._account_event(1, joined=sync_pb2.Joined(conversation_id=log.conversation_id))
    assert made.connection is not None
    waiting = made.connection.outgoing
    assert [frame.WhichOneof("event") for frame in waiting] == ["sync", "account_event_push"]
    made.hear(waiting.pop())
    waiting.rotate(-1)
    assert [frame.WhichOneof("event") for frame in waiting] == ["get_conversation", "sync"]
    made.settle()
    assert made.session.inbox.pictures()[0].membership is Membership.IN


def test_the_read_cursor_of_an_overtaken_head_is_taken(server: ModelServer, device: MakeDevice) -> None:
    """A new group's first head is asked at its first entry; further messages come before it does."""
    log = server.make({1, 2})
    made = device().online()
    server.append(log, 2, "one")
    older = server.head(log, 1)
    older.read_seq, older.unread = older.max_seq, 0
    for text in ("two", "three"):
        server.append(log, 2, text)
    made.settle()
    inbox = made.session.inbox
    inbox.take_head(older, False, 0.0)
    listing = inbox.directory.find(log.conversation_id)
    assert listing is not None
    assert (listing.unread.read_seq, listing.unread.count) == (older.read_seq, 2)


def test_a_reset_drops_what_is_gone(server: ModelServer, device: MakeDevice) -> None:
    kept, gone = server.make({1, 2}), server.make({1, 2})
    made = device().online()
    server.events[1].clear()  # the server lost its events: the pts is from the future
    del server.logs[gone.conversation_id]
    made.drop()
    server.append(kept, 2, "still here")
    made.session.inbox.sync.point = type(made.session.inbox.sync.point)(2, 1, 1)
    made.sleep(2)
    assert [c.conversation_id for c in made.session.inbox.pictures()] == [kept.conversation_id]
    assert made.of(ConversationLeft) == [ConversationLeft(gone.conversation_id, Membership.NONE)]
    assert made.texts(kept.conversation_id) == ["still here"]


def test_nothing_is_lost_while_the_application_rests(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    made = device().online()
    made.session.pause()
    for number in range(30):
        server.append(log, 2, f"{number}")
    made.settle()
    made.sleep(5)
    assert made.of(MessageReceived) == []
    made.session.go_on(made.now)
    made.pump()
    made.settle()
    assert made.texts(log.conversation_id) == [f"{number}" for number in range(30)]


def test_a_conversation_that_may_not_be_read_is_dropped(server: ModelServer, device: MakeDevice) -> None:
    made = device().online()
    server.refuse = lambda *_: error(ErrorNumber.CONVERSATION_NOT_FOUND)
    log = server.make({1, 2})
    server.append(log, 2, "secret")
    made.settle()
    assert made.session.inbox.tracks == {}
    assert made.session.inbox.pictures() == []


def test_a_recall_of_what_the_server_counted_has_unread_asked(server: ModelServer, device: MakeDevice) -> None:
    """Shown as recalled already, maybe: its own entry is no news then, its count is."""
    log = server.make({1, 2})
    first = server.append(log, 2, "one")
    server.append(log, 2, "two")
    made = device().online()
    inbox = made.session.inbox
    inbox.tracks[log.conversation_id].note_change(first.seq, 3)
    listing = inbox.directory.find(log.conversation_id)
    assert listing is not None
    assert listing.unread.count == 2
    server._append(log, 2, message_pb2.Content(), message_pb2.MESSAGE_TYPE_RECALL, ref_seq=first.seq)
    made.deliver(1)
    assert not listing.unread.settled
    assert len(made.asked("get_conversation")) == 1
    made.settle()
    assert listing.unread.settled


def test_a_head_that_a_recall_has_overtaken_is_asked_again(server: ModelServer, device: MakeDevice) -> None:
    """What it counted was taken back meanwhile, by an entry that was here before it."""
    log = server.make({1, 2})
    made, other = device().online(), device(2).online()
    taken_back = server.append(log, 2, "one")
    server.append(log, 2, "two")
    older = server.head(log, 1)
    request = message_pb2.RecallMessageRequest(conversation_id=log.conversation_id, seq=taken_back.seq)
    other.ask("recall_message", request)
    other.settle()
    made.settle()
    inbox = made.session.inbox
    assert inbox.pictures()[0].unread == 1
    asked = len(made.asked("get_conversation"))
    inbox.take_head(older, False, made.now)
    made.session.tick(made.now)
    made.pump()
    assert len(made.asked("get_conversation")) == asked + 1
    made.settle()
    assert [(one.unread, one.unread_settled) for one in inbox.pictures()] == [(1, True)]


def test_what_could_not_be_counted_is_asked_again_on_the_next_connection(
    server: ModelServer, device: MakeDevice
) -> None:
    """The answer is lost with its connection, and nothing has moved since."""
    log = server.make({1, 2})
    for text in ("one", "two", "three"):
        server.append(log, 2, text)
    made = device().online()
    server._mark_read(Connection(user_id=1), read_pb2.MarkReadRequest(conversation_id=log.conversation_id, seq=1))
    made.deliver(1)
    made.drop()
    made.sleep(2)
    assert [(one.unread, one.unread_settled) for one in made.session.inbox.pictures()] == [(2, True)]


def test_a_mark_read_into_the_middle_is_counted_by_its_answer(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    for text in ("one", "two", "three"):
        server.append(log, 2, text)
    made = device().online()
    inbox = made.session.inbox
    inbox.take_read(log.conversation_id, 2, made.now, answer_follows=True)
    assert not inbox.pictures()[0].unread_settled
    answer = server._mark_read(
        Connection(user_id=1), read_pb2.MarkReadRequest(conversation_id=log.conversation_id, seq=2)
    )
    server.append(log, 2, "four")
    made.settle()
    inbox.take_count(answer, made.now)
    assert (inbox.pictures()[0].unread, inbox.pictures()[0].unread_settled) == (2, True)


def test_a_mark_read_that_failed_shows_what_the_server_has(server: ModelServer, device: MakeDevice) -> None:
    log = server.make({1, 2})
    for text in ("one", "two"):
        server.append(log, 2, text)
    made = device().online()
    inbox = made.session.inbox
    inbox.take_read(log.conversation_id, 2, made.now, answer_follows=True)
    assert inbox.pictures()[0].unread == 0
    inbox.read_failed(log.conversation_id, made.now)
    made.session.tick(made.now)
    made.pump()
    made.settle()
    assert (inbox.pictures()[0].unread, inbox.pictures()[0].read_seq) == (2, 0)
