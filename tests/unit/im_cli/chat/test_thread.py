from im_cli.chat.thread import Loaded, Thread
from im_sdk import ChangeKind, MessageChanged, SentMessage
from tests.chat_support.values import ME, message


def opened() -> Thread:
    thread = Thread(7)
    thread.loaded = Loaded.PARTLY
    return thread


def sent(seq: int) -> SentMessage:
    return SentMessage(7, seq, 1000 + seq, 5, f"c{seq}")


def edited(seq: int, text: str, entry_seq: int) -> MessageChanged:
    return MessageChanged(7, seq, ChangeKind.EDITED, text, ME.user_id, 99, entry_seq)


def test_messages_stand_in_order_and_once_whatever_order_they_come_in() -> None:
    thread = opened()
    for seq in (3, 1, 2, 3, 1):
        thread.take(message(seq))
    assert [each.seq for each in thread.messages()] == [1, 2, 3]
    assert thread.oldest_seq == 1


def test_an_older_state_does_not_replace_a_newer_one() -> None:
    thread = opened()
    thread.take(message(1, "new", changed_seq=5))
    thread.take(message(1, "old"))
    thread.change(edited(1, "older", 4))
    assert thread.messages()[0].text == "new"


def test_an_edit_and_a_recall_change_the_message() -> None:
    thread = opened()
    thread.take(message(1, "a"))
    thread.change(edited(1, "b", 2))
    assert (thread.messages()[0].text, thread.messages()[0].edit_time) == ("b", 99)
    thread.change(MessageChanged(7, 1, ChangeKind.RECALLED, None, ME.user_id, 100, 3))
    assert (thread.messages()[0].text, thread.messages()[0].recalled) == (None, True)


def test_an_acknowledged_line_stays_until_the_log_shows_it() -> None:
    thread = opened()
    pending = thread.add("hi", time_ms=1)
    thread.settle(pending, sent(4))
    assert thread.waiting() == [pending]
    thread.take_own(message(4, "hi", sender_id=ME.user_id))
    assert thread.waiting() == []
    assert len(thread) == 1


def test_a_line_that_the_log_shows_before_its_acknowledgement_is_not_shown_twice() -> None:
    thread = opened()
    pending = thread.add("hi", time_ms=1)
    thread.take_own(message(4, "hi", sender_id=ME.user_id))
    assert thread.waiting() == []
    thread.settle(pending, sent(4))
    assert thread.pending == []


def test_the_same_text_from_another_device_does_not_hide_a_line_for_good() -> None:
    thread = opened()
    pending = thread.add("hi", time_ms=1)
    thread.take_own(message(4, "hi", sender_id=ME.user_id))
    thread.settle(pending, sent(5))
    assert thread.waiting() == [pending]
    thread.take_own(message(5, "hi", sender_id=ME.user_id))
    assert thread.waiting() == []
    assert len(thread) == 2


def test_a_refused_line_stays_with_its_reason_until_it_is_dropped() -> None:
    thread = opened()
    pending = thread.add("hi", time_ms=1)
    thread.fail(pending, "You are muted here for now.")
    assert thread.waiting()[0].failure
    thread.drop(pending)
    assert thread.waiting() == []


def test_a_rewind_drops_what_the_server_lost() -> None:
    thread = opened()
    for seq in (1, 2, 3):
        thread.take(message(seq))
    thread.rewind(2)
    assert [each.seq for each in thread.messages()] == [1, 2]


def test_what_may_have_a_hole_is_forgotten() -> None:
    thread = opened()
    for seq in (1, 2, 9):
        thread.take(message(seq))
    thread.drop_below(9)
    assert [each.seq for each in thread.messages()] == [9]
    thread.restart()
    assert (len(thread), thread.loaded, thread.fresh) == (0, Loaded.NOTHING, False)


def test_the_last_editable_message_is_the_newest_own_text() -> None:
    thread = opened()
    thread.take(message(1, "mine", sender_id=ME.user_id))
    thread.take(message(2, None, sender_id=ME.user_id, recalled=True))
    thread.take(message(3, "theirs"))
    last = thread.last_editable()
    assert last is not None
    assert last.seq == 1
