"""Seconds of several processes become rows."""

from im_bench.measure.resources import Watch
from im_bench.measure.tally import Second
from im_bench.report.record import Record, Row
from im_bench.run.lag import LagProbe
from im_bench.run.seconds import Seconds


def second(*, acked: int, measured: bool = True, length_s: float = 1.0) -> Second:
    return Second(
        measured=measured, length_s=length_s, offered=10, acked=acked, delivered=acked, connections=4, cpu_s=0.25,
        latencies={"ack": {1000: acked}} if acked else {}, counts={"refused OVERLOADED": 1},
    )  # fmt: skip


def make(processes: int) -> tuple[Record, Seconds, list[Row]]:
    record, rows = Record(), list[Row]()
    return record, Seconds(record, processes, Watch({}), LagProbe(()), clock=lambda: 5.0, on_row=rows.append), rows


def test_a_row_waits_for_every_process_and_is_their_sum() -> None:
    record, seconds, rows = make(2)
    seconds.add("drive", 0, 0, second(acked=6))
    assert rows == []
    seconds.add("drive", 0, 1, second(acked=2))
    (row,) = rows
    assert (row.offered_per_s, row.acked_per_s, row.connections, row.measured) == (20, 8, 8, True)
    assert row.generator_cpu == [0.25, 0.25]
    assert row.latency_ms["ack"]["p50"] == 1.0
    assert record.latencies["ack"].count == 8
    assert record.counts == {"refused OVERLOADED": 2}


def test_only_measured_seconds_make_the_rates() -> None:
    record, seconds, _ = make(2)
    for process in (0, 1):
        seconds.add("drive", 0, process, second(acked=100, measured=False))
        seconds.add("drive", 1, process, second(acked=6))
        seconds.add("drive", 2, process, second(acked=3, length_s=0.5))
    assert record.measured is not None
    assert record.measured.elapsed_s == 1.5
    assert record.measured.acked == 18
    assert record.measured.generator_cpu_s == [0.5, 0.5]


def test_the_last_bit_of_a_step_is_a_row_of_those_who_had_it() -> None:
    _, seconds, rows = make(2)
    seconds.add("settle", 3, 1, second(acked=4, measured=False, length_s=0.5))
    seconds.end_step()
    assert [row.acked_per_s for row in rows] == [8]
    assert rows[0].step == "settle"
