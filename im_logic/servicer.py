"""im.logic.v1.LogicService: the stream from gateways, and who handles what comes over it."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from im_infra import error_table
from im_infra.contract.command import command_head, split_command
from im_infra.errors import ImError
from im_infra.observability.span_names import LOGIC_REQUEST
from im_infra.observability.tracing import OFF, Tracer
from im_infra.rpc.server_stream import Responder, ServerStream
from im_infra.rpc.stream_server import StreamServer
from im_infra.rpc.traced_responder import TracedResponder
from im_logic.answers import Responder as Answers
from im_logic.asker import Asker
from im_logic.askers import Askers
from im_logic.sessions.face import SessionFace
from im_proto.logic.v1.stream_pb2 import LogicRequest
from im_proto.logic.v1.stream_pb2_grpc import LogicServiceServicer
from im_proto.rpc.v1.frame_pb2 import Frame


class CommandHandler(Protocol):
    """Handles clients' frames."""

    def handle(self, asker: Asker, frame: bytes, responder: Answers) -> None:
        """Take a serialised ClientFrame, at once and in order; answer now or later."""
        ...


class RequestHandler:
    """Hands each LogicRequest to its room.

    Args:
        commands: handles clients' frames.
        sessions: opens and closes.
        tracer: records sampled requests.
    """

    def __init__(self, commands: CommandHandler, sessions: SessionFace, *, tracer: Tracer = OFF) -> None:
        self._commands = commands
        self._sessions = sessions
        self._askers = Askers()
        self._tracer = tracer

    def handle(self, stream: ServerStream, body: bytes, responder: Responder) -> None:
        """Take a request; raises ImError(OPERATION_UNKNOWN) for one of a newer gateway."""
        command = split_command(body)
        if command is not None:
            head, frame = command
            self._commands.handle(self._askers.of(stream.peer, head), frame, responder)
            return
        request = LogicRequest.FromString(body)
        which = request.WhichOneof("session")
        if which == "open_connection":
            responder.run(self._sessions.open(stream.peer, request.open_connection))
        elif which == "abandon_connection":
            self._sessions.abandon(stream.peer, request.abandon_connection)
            responder.answer(b"")
        elif which == "close_connection":
            responder.run(self._sessions.close(request.close_connection))
        elif request.trace:
            self._handle_traced(stream, request, responder)
        else:
            raise ImError(error_table.OPERATION_UNKNOWN)

    def _handle_traced(self, stream: ServerStream, request: LogicRequest, responder: Responder) -> None:
        asker = self._askers.of(stream.peer, command_head(request.caller))
        span = self._tracer.start(LOGIC_REQUEST, request.trace)
        traced = TracedResponder(responder, span)
        with traced.handling():
            self._commands.handle(asker._replace(trace=span), request.frame, traced)


class LogicServicer(LogicServiceServicer):
    """Accepts streams."""

    def __init__(self, streams: StreamServer) -> None:
        self._streams = streams

    async def Connect(  # type: ignore[override]  # noqa: N802 - writes by itself; gRPC's name
        self,
        request_iterator: AsyncIterator[Frame],
        context: Any,  # noqa: ANN401 - grpc.aio's or the in-process one
    ) -> None:
        """Serve one stream until it ends."""
        await self._streams.serve(request_iterator, context)
