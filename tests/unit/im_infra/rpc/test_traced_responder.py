import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability.span_names import LOGIC_REQUEST
from im_infra.observability.tracing import active_span
from im_infra.rpc.traced_responder import TracedResponder
from tests.support.spans import RecordingTracer


class Responder:
    def __init__(self) -> None:
        self.told: list[bytes | ImError] = []
        self.coroutine: Coroutine[Any, Any, bytes] | None = None

    def answer(self, body: bytes) -> None:
        self.told.append(body)

    def answer_along(self, body: bytes) -> None:
        self.told.append(b"along: " + body)

    def fail(self, error: ImError) -> None:
        self.told.append(error)

    def run(self, coroutine: Coroutine[Any, Any, bytes], *, along: bool = False) -> None:
        self.coroutine, self.along = coroutine, along


def make() -> tuple[TracedResponder, Responder, RecordingTracer]:
    tracer, responder = RecordingTracer(), Responder()
    return TracedResponder(responder, tracer.start(LOGIC_REQUEST)), responder, tracer


def test_the_span_ends_with_the_answer() -> None:
    traced, responder, tracer = make()
    with traced.handling():
        assert active_span() is traced.span
        assert not tracer.spans[0].ended
    traced.answer(b"yes")
    assert responder.told == [b"yes"]
    assert tracer.spans[0].ended


def test_the_span_ends_with_an_answer_that_nobody_waits_for() -> None:
    traced, responder, tracer = make()
    traced.answer_along(b"yes")
    assert (responder.told, tracer.spans[0].ended) == ([b"along: yes"], True)


def test_a_failure_is_told() -> None:
    traced, responder, tracer = make()
    error = ImError(error_table.OVERLOADED)
    traced.fail(error)
    assert responder.told == [error]
    assert tracer.spans[0].error is error


def test_a_refusal_that_is_raised_ends_it_and_goes_on() -> None:
    traced, _, tracer = make()
    error = ImError(error_table.OVERLOADED)
    with pytest.raises(ImError), traced.handling():
        raise error
    assert tracer.spans[0].error is error


async def test_a_coroutine_runs_within_it() -> None:
    traced, responder, tracer = make()

    async def answer() -> bytes:
        await asyncio.sleep(0)
        assert active_span() is traced.span
        return b"yes"

    traced.run(answer())
    assert responder.coroutine is not None
    assert await responder.coroutine == b"yes"
    assert tracer.spans[0].ended
    assert tracer.spans[0].error is None


async def test_a_coroutine_that_fails() -> None:
    traced, responder, tracer = make()
    error = ImError(error_table.OVERLOADED)

    async def answer() -> bytes:
        raise error

    traced.run(answer())
    assert responder.coroutine is not None
    with pytest.raises(ImError):
        await responder.coroutine
    assert tracer.spans[0].error is error
