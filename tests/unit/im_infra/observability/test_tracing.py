import asyncio

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability.span_names import GATEWAY_REQUEST, LOGIC_REQUEST, SpanName
from im_infra.observability.tracing import OFF, Span, active_span, start_batch
from tests.support.spans import RecordingTracer

CONTEXT = b"t" * 16 + b"s" * 8


def test_a_process_without_a_collector_hands_its_trace_on() -> None:
    span = OFF.start(LOGIC_REQUEST, CONTEXT)
    assert not OFF.is_on
    assert span.context == CONTEXT
    assert span.child(LOGIC_REQUEST).context == CONTEXT
    span.link(span)
    span.end()


async def test_what_is_started_within_belongs_to_it() -> None:
    """In tasks made meanwhile, too; and nothing afterwards."""
    span = OFF.start(GATEWAY_REQUEST, CONTEXT)

    async def inside() -> Span | None:
        await asyncio.sleep(0)
        return active_span()

    assert active_span() is None
    with span.active():
        assert active_span() is span
        task = asyncio.create_task(inside())
    assert active_span() is None
    assert await task is span


def test_a_batch_is_within_the_first_and_linked_to_the_others() -> None:
    tracer = RecordingTracer()
    members = [bytes([number]) * 24 for number in (1, 2, 3)]
    start_batch(tracer, SpanName("test.batch", "internal", ""), members, entries=3)
    [recorded] = tracer.spans
    assert (recorded.name, recorded.parent, recorded.links) == ("test.batch", members[0], members[1:])
    assert recorded.attributes == {"entries": 3}


def test_a_span_ends_once() -> None:
    tracer = RecordingTracer()
    span = tracer.start(GATEWAY_REQUEST)
    span.end()
    span.end(ImError(error_table.INTERNAL))
    assert tracer.spans[0].ended
    assert tracer.spans[0].error is None
