"""Spans, as the services see them: made for sampled messages only, so that no other message pays for them.

A sampled message carries its span from hop to hop: inside a process as a `Span`, between processes as the 24 bytes of
`Span.context` in an item of a stream, on the bus as the header `traceparent`. What carries nothing is not sampled, and
finding that out is all it costs. A process without a collector of its own hands on what it was given.

Line by line inside `span.active()` the logs tell the trace's and the span's ids.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Final, Protocol

from im_infra.errors import ImError
from im_infra.observability.span_names import SpanName

Attribute = str | int


class Span(Protocol):
    """One span under way."""

    @property
    def context(self) -> bytes:
        """Which it is: 16 bytes of trace id and 8 of span id; empty: nobody records it."""
        ...

    def child(self, name: SpanName, **attributes: Attribute) -> "Span":
        """Start a span of the same service within this one."""
        ...

    def link(self, other: "Span") -> None:
        """Tell of a span elsewhere that has to do with this one."""
        ...

    def end(self, error: ImError | None = None) -> None:
        """It is over; only what has ended is told to the collector. Ending again does nothing."""
        ...

    def active(self) -> AbstractContextManager[None]:
        """What is logged, asked and started meanwhile belongs to it, in tasks made meanwhile too."""
        ...


class Tracer(Protocol):
    """Starts spans of one service."""

    @property
    def is_on(self) -> bool:
        """Whether they go anywhere."""
        ...

    def start(
        self, name: SpanName, parent: bytes = b"", *, links: Sequence[bytes] = (), **attributes: Attribute
    ) -> Span:
        """Start a span.

        Args:
            name: of the one list.
            parent: the context of the span it belongs to; empty: it begins a trace.
            links: contexts of others that have to do with it.
            attributes: what varies.
        """
        ...


_ACTIVE: Final[ContextVar[Span | None]] = ContextVar("im_span", default=None)


def active_span() -> Span | None:
    """The span that what runs now belongs to, if it is sampled."""
    return _ACTIVE.get()


@contextmanager
def activate(span: Span) -> Iterator[None]:
    """Make it the active one."""
    token = _ACTIVE.set(span)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


def start_batch(tracer: Tracer, name: SpanName, members: Sequence[bytes], **attributes: Attribute) -> Span:
    """Start the span of something done for several sampled messages at once: within the first one's, linked to the others'.

    Args:
        tracer: of the service.
        name: of the one list.
        members: their contexts, one or more.
        attributes: what varies.
    """
    return tracer.start(name, members[0], links=members[1:], **attributes)


class _Passing:
    """A span that nobody records: it only hands its trace on."""

    __slots__ = ("context",)

    def __init__(self, context: bytes) -> None:
        self.context = context

    def child(self, name: SpanName, **attributes: Attribute) -> Span:  # noqa: ARG002 - nothing is recorded
        return self

    def link(self, other: Span) -> None:
        """Nobody records it."""

    def end(self, error: ImError | None = None) -> None:
        """Nobody records it."""

    def active(self) -> AbstractContextManager[None]:
        return activate(self)


class _Off:
    """Records nothing."""

    is_on: Final = False

    def start(
        self,
        name: SpanName,  # noqa: ARG002 - nothing is recorded
        parent: bytes = b"",
        *,
        links: Sequence[bytes] = (),  # noqa: ARG002 - as above
        **attributes: Attribute,  # noqa: ARG002 - as above
    ) -> Span:
        return _Passing(parent)


OFF: Final[Tracer] = _Off()
"""For a process without a collector."""
