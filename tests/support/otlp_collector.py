"""A collector of traces for tests: the real OTLP service over gRPC, which keeps what it is told."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

WAIT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class ToldSpan:
    """One span as the collector was told it."""

    name: str
    service: str
    instance: str
    trace_id: str
    span_id: str
    parent_id: str
    """Empty: it begins its trace, as far as we know."""
    start_ns: int
    end_ns: int
    attributes: dict[str, str | int]
    links: tuple[tuple[str, str], ...]
    """(trace_id, span_id) of each."""
    error: str
    """The words of a failed status; empty: it did not fail."""


@dataclass(slots=True)
class Collector:
    """What was told so far."""

    endpoint: str = ""
    spans: list[ToldSpan] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    """Of each export."""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def trace(self, trace_id: str) -> list[ToldSpan]:
        """The spans of one trace, by their start."""
        with self.changed:
            return sorted((span for span in self.spans if span.trace_id == trace_id), key=lambda span: span.start_ns)

    def wait_for(self, condition: Callable[[list[ToldSpan]], bool], *, seconds: float = WAIT_S) -> list[ToldSpan]:
        """All spans, once they meet a condition; blocks, so call it from a thread.

        Raises:
            AssertionError: they do not, in time.
        """
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition(self.spans):
                told = sorted(f"{span.service} {span.name}" for span in self.spans)
                assert self.changed.wait(max(0, deadline - time.monotonic())), f"told so far: {told}"
            return list(self.spans)


class _Service(TraceServiceServicer):  # type: ignore[misc]  # generated without types
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def Export(self, request: ExportTraceServiceRequest, context: Any) -> ExportTraceServiceResponse:  # noqa: N802
        with self._collector.changed:
            self._collector.metadata.append({key: str(value) for key, value in context.invocation_metadata()})
            self._collector.spans.extend(_read(request))
            self._collector.changed.notify_all()
        return ExportTraceServiceResponse()


@contextmanager
def otlp_collector() -> Iterator[Collector]:
    """A collector on a free port of loopback."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2, thread_name_prefix="otlp"))
    add_TraceServiceServicer_to_server(_Service(collector), server)
    collector.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(None).wait(WAIT_S)


def _read(request: ExportTraceServiceRequest) -> Iterator[ToldSpan]:
    for told in request.resource_spans:
        resource = {pair.key: pair.value.string_value for pair in told.resource.attributes}
        for scope in told.scope_spans:
            for span in scope.spans:
                yield ToldSpan(
                    name=span.name,
                    service=resource["service.name"],
                    instance=resource["service.instance.id"],
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    attributes={
                        pair.key: pair.value.int_value if pair.value.HasField("int_value") else pair.value.string_value
                        for pair in span.attributes
                    },
                    links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    error=span.status.message if span.status.code == span.status.STATUS_CODE_ERROR else "",
                )
