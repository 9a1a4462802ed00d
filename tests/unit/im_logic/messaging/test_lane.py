from im_logic.messaging.lane import Lane


def test_entries_of_one_fence_follow_each_other_without_waiting() -> None:
    lane: Lane[str] = Lane()
    assert lane.admit(1, "v1")
    assert lane.admit(2, "v1")
    assert lane.in_flight == 2


def test_another_fence_waits_until_all_before_is_answered() -> None:
    lane: Lane[str] = Lane()
    lane.admit(1, "v1")
    assert not lane.admit(2, "v2")
    lane.hold(2, "b")
    assert lane.release() == []
    lane.settle()
    assert lane.release() == ["b"]
    assert lane.admit(2, "v2")


def test_what_was_sent_back_goes_out_before_what_came_later() -> None:
    lane: Lane[str] = Lane()
    for order in (1, 2):
        lane.admit(order, "v1")
    lane.settle()
    lane.hold(1, "a")
    assert not lane.admit(3, "v1")
    lane.hold(3, "c")
    assert lane.release() == []
    lane.settle()
    lane.hold(2, "b")
    assert lane.release() == ["a", "b", "c"]


def test_nothing_is_released_while_something_held_waits_for_a_load() -> None:
    lane: Lane[str] = Lane()
    lane.hold(1, "a")
    lane.stalled += 1
    assert lane.release() == []
    assert lane.must_wait(2)
    lane.stalled -= 1
    assert lane.release() == ["a"]
    assert lane.empty


def test_a_held_entry_may_be_withdrawn() -> None:
    lane: Lane[str] = Lane()
    lane.hold(1, "a")
    assert lane.withdraw(1)
    assert not lane.withdraw(1)
    assert lane.empty
