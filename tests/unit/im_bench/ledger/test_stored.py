"""The log that was re-read against planted violations."""

from im_bench.ledger.correctness import Correctness
from im_bench.ledger.ranges import Ranges
from im_bench.ledger.stored import StoredLog


def log_of(*entries: tuple[int, int]) -> StoredLog:
    """A log of (sender, number), one after the other."""
    log = StoredLog()
    for seq, (sender, number) in enumerate(entries, start=1):
        log.read(sender, number, seq)
    return log


def seen(*numbers: int) -> Ranges:
    ranges = Ranges()
    for number in numbers:
        ranges.add(number)
    return ranges


def test_a_whole_log_has_no_fault() -> None:
    log = log_of((1, 1), (2, 1), (1, 2))
    assert log.faults({1: [(1, 2)], 2: [(1, 1)]}) == Correctness()


def test_a_message_stored_twice_and_one_stored_too_late_are_faults_of_the_log() -> None:
    assert log_of((1, 1), (1, 1)).faults({1: [(1, 1)]}) == Correctness(duplicate=1)
    assert log_of((1, 2), (1, 1)).faults({1: [(1, 2)]}) == Correctness(out_of_order=1)


def test_lost_is_acked_and_neither_pushed_nor_stored() -> None:
    log = log_of((1, 1), (1, 3))
    acked = {1: [(1, 4)]}
    assert log.faults(acked) == Correctness(unstored=2), "2 and 4 are in no history"
    assert log.lost(acked, {1: seen(1, 2)}) == 1, "2 was pushed, 3 is stored, 4 is gone"
    assert log.lost(acked, {}) == 2
    assert log.lost({1: [(1, 1)]}, {}) == 0
