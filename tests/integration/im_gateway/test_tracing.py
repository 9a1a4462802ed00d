"""Sampled requests at the gateway: what logic is told, and when their spans end."""

from typing import Any

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_proto.gateway.v1.gateway_pb2 import Deliver, GatewayPush
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import Message, MessagePush, SendRequest, SendResponse
from tests.support.spans import RecordingTracer

SEND = ClientFrame(request_id=2, send=SendRequest(conversation_id=3))


async def test_a_sampled_request_carries_its_span_until_its_answer(open_site: Any) -> None:
    tracer = RecordingTracer()
    async with open_site(tracer=tracer) as site, site.client() as client:
        assert (await client.ask(SEND)).HasField("send")
        [span] = tracer.spans
        assert site.logic.traces == [span.context]
        assert (span.name, span.ended, span.error) == ("gateway.request", True, None)


async def test_a_request_that_is_not_sampled_carries_nothing(open_site: Any) -> None:
    tracer = RecordingTracer()
    async with open_site(tracer=tracer, sample_ratio=0) as site, site.client() as client:
        assert (await client.ask(SEND)).HasField("send")
        assert (site.logic.traces, tracer.spans) == ([b""], [])


async def test_what_a_process_did_not_start_stays_in_its_trace_at_the_next(open_site: Any) -> None:
    """One span, from the frame to the answer that counts."""
    tracer = RecordingTracer()
    refusals: list[ImError] = [NotStartedError()]

    def answer(_caller: Any, _frame: ClientFrame) -> ServerFrame | ImError:
        assert not tracer.spans[0].ended
        return refusals.pop() if refusals else ServerFrame(send=SendResponse(seq=1))

    async with open_site(tracer=tracer) as site, site.client() as client:
        site.logic.answers["send"] = answer
        assert (await client.ask(SEND)).send.seq == 1
        [span] = tracer.spans
        assert site.logic.traces == [span.context, span.context]
        assert (span.ended, span.error) == (True, None)


async def test_a_failure_is_told(open_site: Any) -> None:
    tracer = RecordingTracer()
    async with open_site(tracer=tracer) as site, site.client() as client:
        site.logic.answers["send"] = lambda _caller, _frame: ImError(error_table.OVERLOADED)
        assert (await client.ask(SEND)).error.name == "OVERLOADED"
        error = tracer.spans[0].error
        assert error is not None
        assert error.reason is error_table.OVERLOADED


async def test_a_sampled_push_is_recorded_within_its_trace(open_site: Any) -> None:
    tracer = RecordingTracer()
    async with open_site(tracer=tracer) as site, site.client() as client:
        frame = ServerFrame(message_push=MessagePush(message=Message(seq=4)))
        deliver = Deliver(connection_ids=[client.connection_id], frame=frame.SerializeToString())
        site.logic.push(GatewayPush(deliver=deliver))
        site.logic.push(GatewayPush(deliver=deliver, trace=b"t" * 24))
        for _ in range(2):
            assert (await client.next()).message_push.message.seq == 4
        [span] = tracer.spans
        assert (span.name, span.parent, span.ended) == ("gateway.push", b"t" * 24, True)
        assert span.attributes == {"connections": 1}
