from im_infra.bus.topic_counts import TopicCounts
from im_infra.observability.metrics import Metrics


def test_each_count_is_labelled_by_its_topic() -> None:
    metrics = Metrics()
    counts = TopicCounts(metrics, "im.push")
    counts.published.inc(4)
    counts.consumed.inc(3)
    counts.retries.inc(2)
    counts.dead_letters.inc(1)
    text = metrics.render().decode()
    for name, value in {"published": 4, "consumed": 3, "retries": 2, "dead_letters": 1}.items():
        assert f'im_bus_{name}_total{{topic="im.push"}} {value}.0' in text
