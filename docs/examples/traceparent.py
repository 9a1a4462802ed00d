"""Hand the trace that OpenTelemetry is in to the SDK: Client(url, traceparent=traceparent)."""

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


def traceparent() -> str:
    """The span that the caller is in, as W3C writes it; empty: in none."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")
