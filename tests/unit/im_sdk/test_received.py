from im_sdk._received import FRAME_LIMIT, ReceivedCursors


def test_the_first_is_told_at_once_then_one_frame_a_second() -> None:
    cursors = ReceivedCursors(interval_s=1)
    cursors.advance(7, 1)
    assert cursors.take(100) == [(7, 1)]
    cursors.advance(7, 2)
    cursors.advance(8, 5)
    cursors.advance(7, 3)
    assert cursors.take(101.4) == []
    assert cursors.deadline() == 101.5
    assert cursors.take(101.5) == [(7, 3), (8, 5)]
    assert cursors.deadline() == float("inf")


def test_it_goes_with_something_else_once_a_second_is_over() -> None:
    cursors = ReceivedCursors(interval_s=1)
    cursors.advance(7, 1)
    assert cursors.take(100) == [(7, 1)]
    cursors.advance(7, 2)
    assert cursors.take(100.9, along=True) == []
    assert cursors.take(101, along=True) == [(7, 2)]
    cursors.advance(7, 3)
    assert cursors.take(101.9, along=True) == []
    assert cursors.deadline() == 102.5


def test_a_frame_carries_no_more_than_its_limit() -> None:
    cursors = ReceivedCursors(interval_s=1)
    for key in range(FRAME_LIMIT + 5):
        cursors.advance(key, 1)
    assert len(cursors.take(0)) == FRAME_LIMIT
    assert len(cursors.take(1.5)) == 5


def test_the_last_frame_is_said_again_after_a_reconnect() -> None:
    cursors = ReceivedCursors(interval_s=1)
    cursors.advance(7, 1)
    cursors.take(0)
    cursors.advance(8, 2)
    cursors.connection_lost()
    assert cursors.take(5) == [(7, 1), (8, 2)]


def test_what_was_left_is_not_told() -> None:
    cursors = ReceivedCursors(interval_s=1)
    cursors.advance(7, 1)
    cursors.forget(7)
    assert cursors.take(0) == []
