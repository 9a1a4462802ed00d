import asyncio
import importlib.util
import time

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability import otlp, traceparent
from im_infra.observability.metrics import Metrics
from im_infra.observability.settings import TracingSettings
from im_infra.observability.span_names import GATEWAY_REQUEST, LOGIC_REQUEST
from im_infra.observability.tracing import OFF
from tests.support.otlp_collector import otlp_collector

PARENT = traceparent.read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


async def test_without_an_endpoint_it_is_off() -> None:
    async with otlp.open_tracing(TracingSettings(), version="1", instance="a", metrics=Metrics()) as tracer_of:
        assert tracer_of("logic") is OFF


async def test_a_collector_is_told_what_ended() -> None:
    """Parent, links, attributes and the failure; closing tells what is left. What never ends is not told."""
    metrics = Metrics()
    with otlp_collector() as collector:
        settings = TracingSettings(endpoint=collector.endpoint)
        async with otlp.open_tracing(settings, version="1", instance="a", metrics=metrics) as tracer_of:
            gateway, logic = tracer_of("gateway"), tracer_of("logic")
            root = gateway.start(GATEWAY_REQUEST, PARENT, operation="send")
            inner = logic.start(LOGIC_REQUEST, root.context, links=[PARENT, b"half"])
            inner.link(root)
            inner.child(LOGIC_REQUEST)
            inner.end(ImError(error_table.RATE_LIMITED))
            inner.end()
            root.end()
        first, second = sorted(collector.spans, key=lambda span: span.name)
    assert (first.name, first.service, first.instance) == ("gateway.request", "im_gateway", "gateway-a")
    assert (first.trace_id, first.parent_id) == (traceparent.trace_id(PARENT), traceparent.span_id(PARENT))
    assert first.attributes == {"operation": "send"}
    assert first.error == ""
    assert second.parent_id == first.span_id
    assert second.links == ((first.trace_id, first.parent_id), (first.trace_id, first.span_id))
    assert second.error == "RATE_LIMITED"
    assert metrics.registry.get_sample_value("im_tracing_exported_spans_total") == 2


async def test_a_collector_that_is_away_is_given_up_when_closing() -> None:
    metrics = Metrics()
    settings = TracingSettings(endpoint="http://127.0.0.1:9")
    began = time.monotonic()
    async with asyncio.timeout(12):
        async with otlp.open_tracing(settings, version="1", instance="a", metrics=metrics) as tracer_of:
            tracer_of("logic").start(LOGIC_REQUEST).end()
    assert time.monotonic() - began < 10
    assert metrics.registry.get_sample_value("im_tracing_lost_spans_total") == 1


def test_whether_the_extra_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert otlp.is_installed()

    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib.util, "find_spec", absent)
    assert not otlp.is_installed()
