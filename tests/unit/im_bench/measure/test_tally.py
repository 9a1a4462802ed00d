"""A second is what was counted since the last one."""

from im_bench.measure.tally import Tally


def test_a_second_takes_the_counts_and_leaves_the_levels() -> None:
    tally = Tally()
    tally.offered, tally.acked, tally.connections = 3, 2, 7
    tally.ack.record(0.001)
    tally.others["connect"].record(0.002)
    tally.counts["refused OVERLOADED"] += 1
    second = tally.end_second(measured=True)
    assert (second.offered, second.acked, second.delivered, second.connections) == (3, 2, 0, 7)
    assert set(second.latencies) == {"ack", "connect"}
    assert second.counts == {"refused OVERLOADED": 1}
    assert second.length_s > 0
    following = tally.end_second(measured=False)
    assert (following.offered, following.connections, following.measured) == (0, 7, False)
    assert following.latencies == {}
    assert following.counts == {}
