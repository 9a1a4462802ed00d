"""GatewayService: what task calls."""

from functools import partial
from typing import Any

from im_gateway.delivery.fan_out import FanOutDesk
from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.observability.span_names import GATEWAY_FAN_OUT
from im_infra.observability.tracing import OFF, Tracer
from im_infra.rpc.peer import Peer
from im_infra.rpc.stream_server import Responder, ServerStream, StreamServer
from im_infra.rpc.traced_responder import Answers, TracedResponder
from im_proto.gateway.v1.gateway_pb2 import GatewayRequest, GatewayResponse
from im_proto.gateway.v1.gateway_pb2_grpc import GatewayServiceServicer


class GatewayServicer(GatewayServiceServicer):
    """Takes large fan-out; answered when every frame is in the local queues.

    Args:
        desk: sends to local connections.
        me: this gateway.
        tracer: records what becomes of sampled entries.
        metrics: where its streams are counted.
    """

    def __init__(self, desk: FanOutDesk, *, me: Peer, tracer: Tracer = OFF, metrics: Metrics | None = None) -> None:
        self._desk = desk
        self._tracer = tracer
        self.stream_server = StreamServer(
            self._handle, me=me, metrics=None if metrics is None else (metrics, "task_gateway")
        )

    async def Connect(  # type: ignore[override]  # noqa: N802 - gRPC's name; the stubs know generators only
        self,
        request_iterator: object,
        context: Any,  # noqa: ANN401 - grpc.aio's or the in-process one
    ) -> None:
        """The stream."""
        await self.stream_server.serve(request_iterator, context)

    def _handle(self, _stream: ServerStream, body: bytes, responder: Responder) -> None:
        request = GatewayRequest.FromString(body)
        if not request.trace:
            self._take(request, responder)
            return
        span = self._tracer.start(GATEWAY_FAN_OUT, request.trace, entries=len(request.fan_out.entries))
        traced = TracedResponder(responder, span)
        with traced.handling():
            self._take(request, traced)

    def _take(self, request: GatewayRequest, responder: Answers) -> None:
        match request.WhichOneof("request"):
            case "fan_out":
                self._desk.on_fan_out(request.fan_out, partial(_answer, responder))
            case "check_conversations":
                check = request.check_conversations
                _answer(responder, self._desk.check(None if check.every else check.conversation_ids))
            case _:
                raise ImError(error_table.OPERATION_UNKNOWN)


def _answer(responder: Answers, connections: int) -> None:
    responder.answer(GatewayResponse(connections=connections).SerializeToString())
