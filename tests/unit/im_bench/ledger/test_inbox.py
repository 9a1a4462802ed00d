"""What a receiver is owed, and whether it has it."""

from im_bench.ledger.inbox import Inbox


def test_a_receiver_is_owed_what_others_sent() -> None:
    inbox = Inbox(1, start_seq=7)
    acked = {1: [(1, 5)], 2: [(1, 2)]}
    assert inbox.owed(acked) == {2: [(1, 2)]}
    assert not inbox.complete(acked)
    inbox.lane(2).see(1, 8, 0.0)
    assert not inbox.complete(acked)
    inbox.lane(2).see(2, 9, 0.0)
    assert inbox.complete(acked)


def test_what_was_in_the_log_before_is_not_its_business() -> None:
    inbox = Inbox(1, start_seq=7)
    assert not inbox.seqs.add(7)
    assert inbox.seqs.add(8)
