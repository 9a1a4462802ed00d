"""A tracer for tests that keeps what it is told."""

import itertools
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from im_infra.errors import ImError
from im_infra.observability.span_names import SpanName
from im_infra.observability.tracing import Attribute, Span, activate


@dataclass(slots=True)
class Recorded:
    """A span."""

    tracer: "RecordingTracer"
    name: str
    context: bytes
    parent: bytes
    links: list[bytes]
    attributes: dict[str, Attribute]
    ended: bool = False
    error: ImError | None = None

    def child(self, name: SpanName, **attributes: Attribute) -> Span:
        """See `Span`."""
        return self.tracer.start(name, self.context, links=(), **attributes)

    def link(self, other: Span) -> None:
        """See `Span`."""
        self.links.append(other.context)

    def end(self, error: ImError | None = None) -> None:
        """See `Span`."""
        if not self.ended:
            self.ended, self.error = True, error

    def active(self) -> AbstractContextManager[None]:
        """See `Span`."""
        return activate(self)


@dataclass(slots=True)
class RecordingTracer:
    """Keeps every span in `spans`, in the order of their starts."""

    is_on: bool = True
    spans: list[Recorded] = field(default_factory=list)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def start(
        self, name: SpanName, parent: bytes = b"", *, links: Sequence[bytes] = (), **attributes: Attribute
    ) -> Recorded:
        """See `Tracer`."""
        number = next(self._ids)
        trace_id = parent[:16] or number.to_bytes(16, "big")
        span = Recorded(self, name.name, trace_id + number.to_bytes(8, "big"), parent, list(links), dict(attributes))
        self.spans.append(span)
        return span
