"""Messages with a trace of their own, sent as a client with OpenTelemetry would."""

import asyncio
import secrets
from collections.abc import Collection

from im_proto.v1.frame_pb2 import ClientFrame
from tests.support.ids import uuid7
from tests.support.otlp_collector import Collector, ToldSpan
from tests.support.socket_client import SocketClient


async def send_traced(client: SocketClient, conversation_id: int, text: str, *, sampled: bool = True) -> str:
    """Send a message within a trace of the client's; returns the trace's id once it is acknowledged."""
    trace_id = secrets.token_hex(16)
    frame = ClientFrame(traceparent=f"00-{trace_id}-{secrets.token_hex(8)}-{'01' if sampled else '00'}")
    send = frame.send
    send.conversation_id = conversation_id
    send.client_message_id = uuid7()
    send.content.text.text = text
    answer = await client.ask(frame)
    assert answer.HasField("send"), answer
    return trace_id


async def told_trace(collector: Collector, trace_id: str, names: Collection[str]) -> dict[str, ToldSpan]:
    """The spans of a trace by name, once one of each of these names was told."""

    def whole(spans: list[ToldSpan]) -> bool:
        return set(names) <= {span.name for span in spans if span.trace_id == trace_id}

    await asyncio.to_thread(collector.wait_for, whole)
    return {span.name: span for span in collector.trace(trace_id)}
