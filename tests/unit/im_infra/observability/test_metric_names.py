import re

from im_infra.observability.metric_names import METRICS


def test_names_are_unique() -> None:
    names = [metric.name for metric in METRICS]
    assert sorted(set(names)) == sorted(names)


def test_names_say_service_thing_and_unit() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"im_[a-z]+(_[a-z0-9]+)+", metric.name), metric.name
        if metric.unit in {"seconds", "bytes", "ratio"}:
            assert re.search(rf"_{metric.unit}(_total)?$", metric.name), metric.name


def test_counters_and_only_counters_end_in_total() -> None:
    for metric in METRICS:
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name


def test_no_label_is_an_id() -> None:
    for metric in METRICS:
        assert not [label for label in metric.labels if label.endswith("_id")], metric.name


def test_every_metric_is_explained() -> None:
    for metric in METRICS:
        assert metric.help.endswith("."), metric.name
