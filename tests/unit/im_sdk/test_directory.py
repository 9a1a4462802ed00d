from im_proto.v1 import conversation_pb2 as c
from im_proto.v1 import message_pb2
from im_sdk import _convert
from im_sdk._directory import Directory, Listing
from im_sdk._models import ConversationKind, Membership, Message, Notice, NoticeKind, Role

ME = 1


def head(
    max_seq: int, *, unread: int = 0, read_seq: int = 0, epoch: int = 1, last_message: message_pb2.Message | None = None
) -> c.Head:
    conversation = c.Conversation(conversation_id=5, kind=2, title="T", epoch=epoch, member_count=3, role=3, state=1)
    return c.Head(
        conversation=conversation, max_seq=max_seq, unread=unread, read_seq=read_seq, last_message=last_message
    )


def text(seq: int, sender_id: int = 2, *, recalled: bool = False) -> Message:
    wire = message_pb2.Message(
        conversation_id=5, seq=seq, sender_id=sender_id, type=1, server_time=seq, recalled=recalled
    )
    return _convert.message(wire, ME)


def listing(**fields: int) -> Listing:
    made = Listing(5)
    made.apply_head(head(**fields), ME)  # type: ignore[arg-type]
    return made


def test_a_head_says_everything() -> None:
    made = listing(max_seq=9, unread=4, read_seq=5)
    picture = made.picture(7)
    assert (picture.kind, picture.title, picture.role) == (ConversationKind.GROUP, "T", Role.OWNER)
    assert (picture.max_seq, picture.local_seq, picture.read_seq, picture.unread) == (9, 7, 5, 4)
    assert picture.membership is Membership.IN
    assert picture.stale


def test_entries_that_the_head_counted_are_not_counted_again() -> None:
    made = listing(max_seq=9, unread=4)
    made.apply_message(text(8), 8)
    assert made.unread.count == 4
    made.apply_message(text(10), 10)
    assert made.unread.count == 5


def test_own_messages_are_not_unread() -> None:
    made = listing(max_seq=1)
    made.apply_message(text(2, sender_id=ME), 2)
    assert made.unread.count == 0
    assert made.last_message is not None


def test_what_was_recalled_before_it_came_is_not_unread() -> None:
    """A pull brings entries in their present state; the recall that follows in the log is no news then."""
    made = listing(max_seq=3, unread=3)
    made.apply_message(text(4, recalled=True), 4)
    made.apply_message(text(5), 5)
    assert made.unread.count == 4


def test_unread_stops_at_its_limit() -> None:
    made = listing(max_seq=1, unread=99)
    for seq in range(2, 9):
        made.apply_message(text(seq), seq)
    assert made.unread.count == 100


def test_reading_to_the_head_leaves_nothing_unread() -> None:
    made = listing(max_seq=9, unread=4)
    made.apply_read(9)
    assert made.unread.count == 0
    made.apply_read(3)
    assert (made.unread.read_seq, made.unread.settled) == (9, True)


def test_reading_a_part_needs_the_servers_count() -> None:
    made = listing(max_seq=9, unread=4)
    made.apply_read(7)
    assert not made.unread.settled
    made.apply_head(head(max_seq=9, unread=2, read_seq=7), ME)
    assert (made.unread.count, made.unread.settled) == (2, True)


def test_an_older_head_does_not_take_back_what_is_newer() -> None:
    made = listing(max_seq=9, unread=4)
    made.apply_message(text(10), 10)
    made.apply_read(10)
    made.apply_head(head(max_seq=9, unread=4), ME)
    assert (made.max_seq, made.unread.count, made.unread.read_seq) == (10, 0, 10)


def test_a_head_of_a_new_epoch_does() -> None:
    made = listing(max_seq=9, unread=4, read_seq=8)
    made.apply_head(head(max_seq=5, unread=1, read_seq=3, epoch=2), ME)
    assert (made.max_seq, made.unread.count, made.unread.read_seq) == (5, 1, 3)


def test_marks_of_large_conversations_count_on() -> None:
    last = message_pb2.Message(seq=9, count=7, type=1)
    made = Listing(5)
    made.apply_head(head(max_seq=9, unread=2, last_message=last), ME)
    made.apply_mark(20, 15)
    made.apply_mark(12, 9)
    assert (made.max_seq, made.unread.count) == (20, 10)


def test_notices_change_the_members() -> None:
    made = listing(max_seq=1)
    made.apply_notice(Notice(NoticeKind.ADDED, 2, (7, 8)))
    made.apply_notice(Notice(NoticeKind.LEFT, 7, (7,)))
    assert made.member_count == 4
    made.apply_notice(Notice(NoticeKind.DISSOLVED, 2))
    assert made.dissolved


def test_receipts_of_the_peer_move_forward_only() -> None:
    made = Listing(5)
    made.peer_id = 2
    made.apply_receipt(2, 5, 4)
    made.apply_receipt(2, 3, 0)
    made.apply_receipt(9, 99, 99)
    assert (made.peer_received_seq, made.peer_read_seq) == (5, 4)


def test_receipts_are_for_small_conversations() -> None:
    made = listing(max_seq=1)
    assert made.takes_receipts(3)
    assert not made.takes_receipts(2)
    made.kind = ConversationKind.WORLD
    assert not made.takes_receipts(1_000)


def test_a_picture_restores_its_listing() -> None:
    made = listing(max_seq=9, unread=4, read_seq=5)
    again = Listing(5)
    made.apply_read(6)
    again.restore(made.picture(3), epoch=1)
    assert again.picture(3) == made.picture(3)
    assert not again.unread.settled


def test_the_directory_finds_and_forgets() -> None:
    directory = Directory()
    assert directory.find(5) is None
    assert directory.enter(5) is directory.enter(5)
    assert (len(directory), directory.ids()) == (1, {5})
    directory.remove(5)
    assert list(directory) == []
