"""The warm-up's figures go, its correctness stays."""

from im_bench.tally import Tally


def test_measuring_starts_from_nothing_but_forgets_no_loss() -> None:
    tally = Tally()
    tally.count("acked")
    tally.ack.record(0.1)
    tally.correctness.duplicate = 1
    tally.correctness.resync = 4
    tally.end_second(keep=True)
    tally.start_measuring()
    assert tally.totals["acked"] == 0
    assert tally.ack.count == 0
    assert tally.series == []
    assert (tally.correctness.duplicate, tally.correctness.resync) == (1, 0)


def test_a_second_is_kept_only_when_measured() -> None:
    tally = Tally()
    tally.count("offered")
    assert tally.end_second(keep=False)["offered"] == 1
    tally.count("offered")
    tally.end_second(keep=True)
    assert tally.series == [{"offered": 1.0, "acked": 0.0, "delivered": 0.0}]
    assert tally.totals["offered"] == 2
