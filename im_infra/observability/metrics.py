"""Prometheus metrics, made from the one list of names.

Labelled metrics are bound once (`published = metrics.counter("im_bus_published_total").labels("im.push")`), so that the
message path neither looks a label up nor allocates; it counts per frame or batch.
"""

from collections.abc import Collection, Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from im_infra import aio
from im_infra.observability.metric_names import METRICS, Kind, Metric, Unit

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS: Final[Mapping[Unit, tuple[float, ...]]] = {
    # From one local call (0.5 ms) to the longest deadline a client waits for.
    "seconds": (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    # From a bare frame to the largest stream frame.
    "bytes": (64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576),
    # From an idle server to a full stream frame, and beyond for large groups.
    "items": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 10_000),
    "ratio": (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0),
}


class Metrics:
    """The metrics of one process, each made when it is first asked for.

    Args:
        registry: where they are registered; a new one in each test, so that tests do not see each other.
        names: the list of names that may be asked for.
    """

    def __init__(self, registry: CollectorRegistry | None = None, names: tuple[Metric, ...] = METRICS) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter that nobody reads
        self.registry = registry or CollectorRegistry()
        self._names = {metric.name: metric for metric in names}
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        ProcessCollector(registry=self.registry)
        if "im_process_failed_tasks" in self._names:
            self.gauge("im_process_failed_tasks").set_function(aio.failed_tasks)

    def counter(self, name: str) -> Counter:
        """The counter of that name.

        Raises:
            KeyError: it is not in the list, or is of another kind.
        """
        made = self._counters.get(name)
        if made is None:
            metric = self._named(name, "counter")
            made = Counter(name, metric.help, metric.labels, registry=self.registry)
            self._counters[name] = made
        return made

    def gauge(self, name: str) -> Gauge:
        """The gauge of that name; raises KeyError as `counter` does."""
        made = self._gauges.get(name)
        if made is None:
            metric = self._named(name, "gauge")
            made = Gauge(name, metric.help, metric.labels, registry=self.registry)
            self._gauges[name] = made
        return made

    def histogram(self, name: str) -> Histogram:
        """The histogram of that name, with the buckets of its unit; raises KeyError as `counter` does."""
        made = self._histograms.get(name)
        if made is None:
            metric = self._named(name, "histogram")
            buckets = _BUCKETS[metric.unit]
            made = Histogram(name, metric.help, metric.labels, buckets=buckets, registry=self.registry)
            self._histograms[name] = made
        return made

    def gauges(self) -> dict[str, float]:
        """The present values of all gauges by name, those of one name's labels added up."""
        values: dict[str, float] = {}
        for gauge in self._gauges.values():
            for family in gauge.collect():
                values[family.name] = sum(sample.value for sample in family.samples)
        return values

    def render(self, names: Collection[str] = ()) -> bytes:
        """Those of these names in Prometheus' text format (`CONTENT_TYPE`); all of them where none is named."""
        return generate_latest(self.registry.restricted_registry(names) if names else self.registry)

    def _named(self, name: str, kind: Kind) -> Metric:
        metric = self._names.get(name)
        if metric is None:
            raise KeyError(f"{name} is not in metric_names.METRICS")
        if metric.kind != kind:
            raise KeyError(f"{name} is a {metric.kind}, not a {kind}")
        return metric
