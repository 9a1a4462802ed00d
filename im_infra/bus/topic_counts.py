"""The counters of one topic, bound once."""

from im_infra.observability.metrics import Metrics


class TopicCounts:
    """What is counted for a topic.

    Args:
        metrics: of the process.
        topic: the label.
    """

    def __init__(self, metrics: Metrics, topic: str) -> None:
        self.published = metrics.counter("im_bus_published_total").labels(topic)
        self.consumed = metrics.counter("im_bus_consumed_total").labels(topic)
        self.retries = metrics.counter("im_bus_retries_total").labels(topic)
        self.dead_letters = metrics.counter("im_bus_dead_letters_total").labels(topic)
