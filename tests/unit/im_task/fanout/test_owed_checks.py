"""What a gateway missed is told once, and what it missed meanwhile after that."""

from im_task.fanout.owed_checks import MAX_CONVERSATIONS, OwedChecks

ONE, OTHER = ("g1", "b1"), ("g2", "b1")


def test_a_gateway_is_told_what_it_missed_and_is_done() -> None:
    owed = OwedChecks()
    for conversation_id in (5, 3, 5):
        owed.add(ONE, conversation_id)
    assert owed.of(ONE) == ((3, 5), False)
    assert (owed.owes(ONE), owed.owes(OTHER)) == (True, False)
    owed.settled(ONE, owed.of(ONE))
    assert owed.targets() == ()


def test_what_it_missed_while_it_was_told_remains() -> None:
    owed = OwedChecks()
    owed.add(ONE, 1)
    told = owed.of(ONE)
    owed.add(ONE, 2)
    owed.settled(ONE, told)
    assert owed.of(ONE).conversation_ids == (2,)


def test_too_many_to_name_are_every_one() -> None:
    owed = OwedChecks()
    for conversation_id in range(MAX_CONVERSATIONS + 50):
        owed.add(ONE, conversation_id)
    assert owed.of(ONE) == ((), True)
    owed.settled(ONE, owed.of(ONE))
    assert not owed.owes(ONE)


def test_a_gateway_that_is_gone_is_owed_nothing() -> None:
    owed = OwedChecks()
    owed.add(ONE, 1)
    owed.forget(ONE)
    owed.forget(OTHER)
    assert owed.targets() == ()
