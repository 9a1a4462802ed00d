from datetime import UTC

from im_cli.chat.rows import DividerRow, MessageRow, NoticeRow, Row, rows_of
from im_cli.chat.thread import Loaded, Thread
from im_cli.chat.ticks import Tick
from im_sdk import Message, Notice, NoticeKind
from tests.chat_support.values import GRACE, ME, MINUTE_MS, NOON_MS, conversation, message, notice_message, people

DAY_MS = 24 * 60 * MINUTE_MS


def thread_of(*messages: Message) -> Thread:
    thread = Thread(7)
    thread.loaded = Loaded.PARTLY
    for each in messages:
        thread.take(each)
    return thread


def rows(thread: Thread, **changes: object) -> list[Row]:
    return rows_of(thread, conversation(**changes), people(), now_ms=NOON_MS, zone=UTC)


def said(thread: Thread) -> list[MessageRow]:
    return [row for row in rows(thread) if isinstance(row, MessageRow)]


def test_days_are_divided() -> None:
    thread = thread_of(message(1, server_time=NOON_MS - DAY_MS), message(2), message(3))
    dividers = [row.text for row in rows(thread) if isinstance(row, DividerRow)]
    assert dividers == ["Yesterday", "Today"]


def test_one_name_stands_over_messages_of_one_sender_within_five_minutes() -> None:
    thread = thread_of(
        message(1), message(2), message(3, server_time=NOON_MS + 6 * MINUTE_MS), message(4, sender_id=ME.user_id)
    )
    assert [row.named for row in said(thread)] == [True, False, True, True]


def test_where_the_unread_begin_is_marked_once() -> None:
    thread = thread_of(message(1), message(2), message(3))
    thread.new_from_seq = 1
    assert [row.key for row in rows(thread)][1:4] == ["m1", "new", "m2"]


def test_notices_are_words() -> None:
    shown = rows(thread_of(notice_message(1, Notice(NoticeKind.LEFT, GRACE.user_id))))
    assert isinstance(shown[1], NoticeRow)
    assert shown[1].text == "Grace Hopper left"


def test_edits_recalls_and_answers() -> None:
    thread = thread_of(
        message(1, "old"), message(2, "new", edit_time=5), message(3, None, recalled=True), message(4, ref_seq=1),
        message(5, ref_seq=90),
    )  # fmt: skip
    shown = said(thread)
    assert [row.edited for row in shown] == [False, True, False, False, False]
    assert [row.faint for row in shown] == [False, False, True, False, False]
    assert [row.reply for row in shown][3:] == ["Grace Hopper: old", "an earlier message"]


def test_waiting_acknowledged_and_refused_lines_stand_at_the_end() -> None:
    thread = thread_of(message(1))
    thread.add("one", time_ms=NOON_MS)
    thread.add("two", time_ms=NOON_MS).settled_seq = 9
    thread.fail(thread.add("three", time_ms=NOON_MS), "No.")
    shown = said(thread)[1:]
    assert [row.tick for row in shown] == [Tick.WAITING, Tick.SENT, Tick.FAILED]
    assert [row.named for row in shown] == [True, False, False]
    assert shown[2].failure == "No."


def test_the_top_says_whether_there_is_more() -> None:
    thread = thread_of(message(1))
    thread.fetching = True
    assert rows(thread)[0] == NoticeRow("top", "Loading earlier messages …")
    thread.fetching, thread.loaded = False, Loaded.WHOLLY
    assert rows(thread)[0] == NoticeRow("top", "The beginning of this conversation")


def test_keys_are_unique() -> None:
    thread = thread_of(*(message(seq) for seq in range(1, 30)))
    thread.add("x", time_ms=NOON_MS)
    keys = [row.key for row in rows(thread)]
    assert len(keys) == len(set(keys))
