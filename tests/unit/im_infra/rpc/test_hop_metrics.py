from dataclasses import dataclass
from typing import Any

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.rpc.core.frame import Frame
from im_infra.rpc.hop_metrics import AnsweringMetrics, AskingMetrics, Stopwatch


@dataclass
class End:
    waiting: int = 0
    open: int = 0
    credit: int = 0
    unacknowledged: int = 0


def value(metrics: Metrics, name: str, **labels: str) -> Any:
    return metrics.registry.get_sample_value(name, labels)


def test_depths_are_those_of_all_open_streams_when_somebody_looks() -> None:
    metrics, ends = Metrics(), [End(waiting=1, open=2, credit=3)]
    AskingMetrics(metrics, "gateway_logic", lambda: ends)
    AnsweringMetrics(metrics, "gateway_logic", lambda: [End(open=5, unacknowledged=7)])
    ends.append(End(waiting=10, open=20, credit=30))
    asking = {"hop": "gateway_logic", "side": "asking"}
    assert value(metrics, "im_rpc_streams", **asking) == 2
    assert value(metrics, "im_rpc_waiting_requests", hop="gateway_logic") == 11
    assert value(metrics, "im_rpc_open_requests", **asking) == 22
    assert value(metrics, "im_rpc_credit_requests", hop="gateway_logic") == 33
    assert value(metrics, "im_rpc_open_requests", hop="gateway_logic", side="answering") == 5
    assert value(metrics, "im_rpc_unacknowledged_pushes", hop="gateway_logic") == 7


def test_frames_and_failures_are_counted() -> None:
    metrics = Metrics()
    asking = AskingMetrics(metrics, "logic_repo", list)
    answering = AnsweringMetrics(metrics, "logic_repo", list)
    asking.wrote(Frame(requests=[(1, b""), (1, b"")]))
    answering.wrote(Frame(pushes=[b"one"]))
    asking.failed(ImError(error_table.OVERLOADED))
    asking.lost()
    answering.refused_push()
    assert value(metrics, "im_rpc_frame_items_sum", hop="logic_repo", side="asking") == 2
    assert value(metrics, "im_rpc_frame_items_count", hop="logic_repo", side="answering") == 1
    assert value(metrics, "im_rpc_failed_requests_total", hop="logic_repo", why="OVERLOADED") == 1
    assert value(metrics, "im_rpc_lost_streams_total", hop="logic_repo") == 1
    assert value(metrics, "im_rpc_refused_pushes_total", hop="logic_repo") == 1


def test_one_request_at_a_time_is_timed() -> None:
    """From the writing of a frame's first request to its answer; the next one is of the next frame."""
    metrics, opened, now = Metrics(), {1, 2, 3}, [10.0]
    asking = AskingMetrics(metrics, "logic_repo", list)
    stopwatch = Stopwatch(asking, opened.__contains__, lambda: now[0])
    stopwatch.wrote(Frame(acknowledged_push=4))
    stopwatch.wrote(Frame(first_request=1, requests=[(1, b""), (1, b"")]))
    now[0] = 10.5
    stopwatch.wrote(Frame(first_request=3, requests=[(1, b"")]))
    opened.discard(3)
    stopwatch.heard()
    assert value(metrics, "im_rpc_request_seconds_count", hop="logic_repo") == 0
    now[0] = 12.0
    opened.discard(1)
    stopwatch.heard()
    stopwatch.heard()
    assert value(metrics, "im_rpc_request_seconds_count", hop="logic_repo") == 1
    assert value(metrics, "im_rpc_request_seconds_sum", hop="logic_repo") == 2.0
