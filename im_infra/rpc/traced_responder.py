"""Answering a sampled request: its span ends with its answer."""

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from im_infra.errors import ImError
from im_infra.observability.tracing import Span


class Answers(Protocol):
    """Where the one answer of a request goes."""

    def answer(self, body: bytes) -> None:
        """The request succeeded."""
        ...

    def answer_along(self, body: bytes) -> None:
        """The request succeeded, and nobody waits to hear it."""
        ...

    def fail(self, error: ImError) -> None:
        """The request failed."""
        ...

    def run(self, coroutine: Coroutine[Any, Any, bytes], *, along: bool = False) -> None:
        """Answer with what the coroutine returns or raises; `along`: nobody waits to hear that it succeeded."""
        ...


class TracedResponder:
    """A `Responder` of a sampled request.

    Args:
        responder: the request's own.
        span: ends with the first answer.
    """

    __slots__ = ("_responder", "span")

    def __init__(self, responder: Answers, span: Span) -> None:
        self._responder = responder
        self.span = span

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Handle the request in here: the span is the active one, and ends with a refusal that is raised."""
        try:
            with self.span.active():
                yield
        except ImError as error:
            self.span.end(error)
            raise

    def answer(self, body: bytes) -> None:
        """The request succeeded."""
        self.span.end()
        self._responder.answer(body)

    def answer_along(self, body: bytes) -> None:
        """The request succeeded, and nobody waits to hear it."""
        self.span.end()
        self._responder.answer_along(body)

    def fail(self, error: ImError) -> None:
        """The request failed."""
        self.span.end(error)
        self._responder.fail(error)

    def run(self, coroutine: Coroutine[Any, Any, bytes], *, along: bool = False) -> None:
        """Answer with what `coroutine` returns or raises; its lines in the log carry the span."""
        self._responder.run(self._within(coroutine), along=along)

    async def _within(self, coroutine: Coroutine[Any, Any, bytes]) -> bytes:
        failed: ImError | None = None
        try:
            with self.span.active():
                return await coroutine
        except ImError as error:
            failed = error
            raise
        finally:
            self.span.end(failed)
