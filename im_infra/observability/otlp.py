"""Spans recorded with OpenTelemetry's SDK and told to a collector over OTLP, from a thread of the SDK's own.

The SDK is an extra (`tracing`), so it is imported when it is needed. Sampling is decided before a span is made: whatever
comes here is recorded. The queue of ended spans is bounded; when it is full, because the collector is slow or away, spans
are dropped: nothing waits for them.
"""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import grpc

from im_infra.aio import spawn
from im_infra.errors import ImError
from im_infra.observability import traceparent
from im_infra.observability.metrics import Metrics
from im_infra.observability.settings import TracingSettings
from im_infra.observability.span_names import SpanName
from im_infra.observability.tracing import OFF, Attribute, Span, Tracer, activate

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import Tracer as SdkTracer

EXTRA: Final = "tracing"
"""What brings the SDK: `pip install 'im-cluster[tracing]'`."""
_EXPORT_TIMEOUT_S: Final = 3.0
_CLOSE_S: Final = 3.0
_MAX_QUEUE: Final = 4_096
_EXPORT_EVERY_MS: Final = 1_000
_MAX_BATCH: Final = 512

TracerOf = Callable[[str], Tracer]
"""The tracer of a service."""


def is_installed() -> bool:
    """Whether the extra is there."""
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.grpc") is not None
    except ModuleNotFoundError:
        return False


@asynccontextmanager
async def open_tracing(
    settings: TracingSettings, *, version: str, instance: str, metrics: Metrics
) -> AsyncIterator[TracerOf]:
    """The tracers of a process; closing tells the collector what is left, for at most some seconds.

    Args:
        settings: where to, and how.
        version: of the services.
        instance: tells this process from others of its services.
        metrics: where spans are counted.

    Raises:
        OSError: the file of authorities cannot be read.
        ModuleNotFoundError: traces are on and the extra is not installed; ask `is_installed` before.
    """
    if not settings.endpoint:
        yield lambda _service: OFF
        return
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415 - an extra

    exporter = _counted(_exporter(settings), metrics)
    processor = BatchSpanProcessor(
        exporter,
        max_queue_size=_MAX_QUEUE,  # full: the oldest spans are dropped
        schedule_delay_millis=_EXPORT_EVERY_MS,
        max_export_batch_size=_MAX_BATCH,
    )

    def tracer_of(service: str) -> Tracer:
        resource = Resource.create(
            {
                "service.name": f"im_{service}",
                "service.namespace": "im",
                "service.version": version,
                "service.instance.id": f"{service}-{instance}",
            }
        )
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(processor)
        return _SdkBacked(provider.get_tracer("im_infra", version))

    try:
        yield tracer_of
    finally:
        closing = spawn(asyncio.to_thread(processor.shutdown), name="tracing.close")
        await asyncio.wait((closing,), timeout=_CLOSE_S)
        if not closing.done():
            exporter.shutdown()  # ends the tries under way, and everything behind them at once
            await closing


def _exporter(settings: TracingSettings) -> "SpanExporter":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra

    secure = settings.endpoint.startswith("https://")
    authorities = settings.ca.read_bytes() if settings.ca is not None else None
    return OTLPSpanExporter(
        endpoint=settings.endpoint,
        insecure=not secure,
        credentials=grpc.ssl_channel_credentials(authorities) if secure else None,
        headers=[(name, value.get_secret_value()) for name, value in settings.headers.items()],
        timeout=_EXPORT_TIMEOUT_S,
    )


def _counted(exporter: "SpanExporter", metrics: Metrics) -> "SpanExporter":
    """The exporter, with what became of the spans counted."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult  # noqa: PLC0415 - an extra

    told = metrics.counter("im_tracing_exported_spans_total")
    lost = metrics.counter("im_tracing_lost_spans_total")

    class Counted(SpanExporter):
        def export(self, spans: "Sequence[ReadableSpan]") -> "SpanExportResult":
            result = exporter.export(spans)
            (told if result is SpanExportResult.SUCCESS else lost).inc(len(spans))
            return result

        def shutdown(self) -> None:
            exporter.shutdown()

    return Counted()


class _SdkBacked:
    """A `Tracer` over one of the SDK's."""

    is_on: Final = True

    def __init__(self, tracer: "SdkTracer") -> None:
        self._tracer = tracer

    def start(
        self, name: SpanName, parent: bytes = b"", *, links: Sequence[bytes] = (), **attributes: Attribute
    ) -> Span:
        from opentelemetry import trace  # noqa: PLC0415 - an extra
        from opentelemetry.context import Context  # noqa: PLC0415 - an extra

        around = Context()  # never the thread's own: what is sampled says so by itself
        if traceparent.is_whole(parent):
            around = trace.set_span_in_context(trace.NonRecordingSpan(_sdk_context(parent)), around)
        span = self._tracer.start_span(
            name.name,
            context=around,
            kind=trace.SpanKind[name.kind.upper()],
            attributes=attributes,
            links=[trace.Link(_sdk_context(link)) for link in links if traceparent.is_whole(link)],
        )
        return _Recorded(self, span)


class _Recorded:
    """A span of the SDK's."""

    __slots__ = ("_span", "_tracer", "context")

    def __init__(self, tracer: _SdkBacked, span: Any) -> None:  # noqa: ANN401 - the SDK's, an extra
        self._tracer = tracer
        self._span = span
        told = span.get_span_context()
        self.context = told.trace_id.to_bytes(16, "big") + told.span_id.to_bytes(8, "big")

    def child(self, name: SpanName, **attributes: Attribute) -> Span:
        return self._tracer.start(name, self.context, links=(), **attributes)

    def link(self, other: Span) -> None:
        if traceparent.is_whole(other.context):
            self._span.add_link(_sdk_context(other.context))

    def end(self, error: ImError | None = None) -> None:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415 - an extra

        if not self._span.is_recording():
            return
        if error is not None:
            self._span.set_status(StatusCode.ERROR, error.reason.name)
        self._span.end()

    def active(self) -> AbstractContextManager[None]:
        return activate(self)


def _sdk_context(context: bytes) -> Any:  # noqa: ANN401 - the SDK's, an extra
    from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415 - an extra

    return SpanContext(
        int.from_bytes(context[:16], "big"),
        int.from_bytes(context[16:], "big"),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
