"""A recorder counts as an HdrHistogram does, and merging loses nothing."""

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from im_bench.measure.latency import DIGITS, HIGHEST_US, Latency, Recorder, summary_of

MICROSECONDS = st.integers(1, HIGHEST_US - 1)


@settings(max_examples=20, deadline=None)  # a histogram of pure Python is slow to read
@given(st.lists(MICROSECONDS, min_size=1))
def test_a_recorder_keeps_apart_what_the_histogram_keeps_apart(values: list[int]) -> None:
    plain, recorder, latency = HdrHistogram(1, HIGHEST_US, DIGITS), Recorder(), Latency()
    for value in values:
        plain.record_value(value)
        recorder.record((value + 0.5) / 1e6)
    latency.add(recorder.take())
    assert latency.count == len(values)
    for percentile in (0, 50, 99, 100):
        assert latency.at(percentile) == plain.get_value_at_percentile(percentile) / 1000


@settings(max_examples=20, deadline=None)  # a histogram of pure Python is slow to read
@given(st.lists(st.lists(MICROSECONDS), min_size=1, max_size=4))
def test_merged_is_as_if_recorded_in_one_place(processes: list[list[int]]) -> None:
    merged, whole, one = Latency(), Latency(), Recorder()
    for values in processes:
        recorder = Recorder()
        for value in values:
            recorder.record(value / 1e6)
            one.record(value / 1e6)
        merged.add(recorder.take())
    whole.add(one.take())
    assert merged.summary() == whole.summary()
    assert merged.encoded() == whole.encoded()


def test_latency_is_told_in_milliseconds_within_its_precision() -> None:
    recorder, latency = Recorder(), Latency()
    for milliseconds in range(1, 101):
        recorder.record(milliseconds / 1000)
    counts = recorder.take()
    latency.add(counts)
    for summary in (latency.summary(), summary_of(counts)):
        assert summary["p50"] == pytest.approx(50, rel=0.002)
        assert summary["p99"] == pytest.approx(99, rel=0.002)
        assert summary["max"] == pytest.approx(100, rel=0.002)


def test_nothing_counted_is_none_not_zero() -> None:
    empty = {"p50": None, "p90": None, "p99": None, "p999": None, "max": None}
    assert Latency().summary() == empty
    assert summary_of({}) == empty


def test_what_was_taken_is_gone() -> None:
    recorder = Recorder()
    recorder.record(0.1)
    assert recorder.take()
    assert recorder.take() == {}


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1e-9, 5_000.0])
def test_no_value_is_refused(seconds: float) -> None:
    recorder, latency = Recorder(), Latency()
    recorder.record(seconds)
    latency.add(recorder.take())
    assert latency.count == 1
