import pytest

from im_infra.observability.metric_names import Metric
from im_infra.observability.metrics import Metrics

NAMES = (
    Metric("im_test_frames_total", "counter", "items", "Frames.", ("direction",)),
    Metric("im_test_open", "gauge", "items", "Open."),
    Metric("im_test_wait_seconds", "histogram", "seconds", "Waits."),
)


def test_what_was_counted_is_rendered() -> None:
    metrics = Metrics(names=NAMES)
    frames = metrics.counter("im_test_frames_total").labels("in")
    frames.inc(3)
    metrics.gauge("im_test_open").set(2)
    metrics.histogram("im_test_wait_seconds").observe(0.02)
    text = metrics.render().decode()
    assert 'im_test_frames_total{direction="in"} 3.0' in text
    assert "im_test_open 2.0" in text
    assert 'im_test_wait_seconds_bucket{le="0.025"} 1.0' in text


def test_what_nobody_asked_for_is_not_rendered() -> None:
    assert b"im_test" not in Metrics(names=NAMES).render()


def test_asking_again_gives_the_same() -> None:
    metrics = Metrics(names=NAMES)
    assert metrics.gauge("im_test_open") is metrics.gauge("im_test_open")
    assert metrics.counter("im_test_frames_total") is metrics.counter("im_test_frames_total")
    assert metrics.histogram("im_test_wait_seconds") is metrics.histogram("im_test_wait_seconds")


def test_an_unknown_name_or_another_kind_is_refused() -> None:
    metrics = Metrics(names=NAMES)
    with pytest.raises(KeyError, match="not in metric_names"):
        metrics.counter("im_test_other_total")
    with pytest.raises(KeyError, match="is a gauge, not a counter"):
        metrics.counter("im_test_open")


def test_two_in_one_process_do_not_share_anything() -> None:
    first, second = Metrics(names=NAMES), Metrics(names=NAMES)
    first.gauge("im_test_open").set(1)
    assert second.gauge("im_test_open")._value.get() == 0


def test_failed_tasks_are_shown() -> None:
    assert "im_process_failed_tasks" in Metrics().render().decode()


def test_gauges_are_read_by_name_with_their_labels_added_up() -> None:
    """Operators ask for figures, not for series."""
    names = (*NAMES, Metric("im_test_lag", "gauge", "items", "Lag.", ("topic",)))
    metrics = Metrics(names=names)
    metrics.gauge("im_test_open").set(2)
    metrics.gauge("im_test_lag").labels("a").set(3)
    metrics.gauge("im_test_lag").labels("b").set(4)
    metrics.counter("im_test_frames_total").labels("in").inc()
    assert metrics.gauges() == {"im_test_open": 2, "im_test_lag": 7}
