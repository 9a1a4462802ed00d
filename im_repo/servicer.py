"""`im.repo.v1.RepoService`: the stream, and where each of its requests goes."""
# ruff: noqa: N802 - the names of methods are the generated base class's

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeVar

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability.span_names import REPO_REQUEST
from im_infra.observability.tracing import OFF, Tracer
from im_infra.rpc.stream_server import Responder, ServerStream, StreamServer
from im_infra.rpc.traced_responder import Answers, TracedResponder
from im_infra.sql.abstract import Database
from im_proto.repo.v1 import stream_pb2 as pb
from im_proto.repo.v1.stream_pb2_grpc import RepoServiceServicer
from im_proto.rpc.v1.frame_pb2 import Frame
from im_repo.cursors.operations import CursorOperations
from im_repo.log.again import find_append
from im_repo.log.appender import Appender
from im_repo.log.convert import found_response, to_draft
from im_repo.log.entries import read_entries
from im_repo.log.fanout_class import FanoutBounds
from im_repo.log.load_conversation import load_conversation
from im_repo.log.read_range import RangeQuery, read_range
from im_repo.outbox.large_rests import LargeRests
from im_repo.outbox.pending import Pending

T = TypeVar("T")

_CONFIRMED: Final = pb.RepoResponse(confirmed=pb.Confirmed()).SerializeToString()


class RepoRequests:
    """Takes the requests of all streams.

    Appends and confirmations, by far the most, are taken in the loop turn in which they come and cost no task.

    Args:
        database: what is read.
        appender: takes appends.
        pending: takes confirmations.
        rests: takes that a logic process cannot deliver large ranges.
        cursors: moves cursors.
        bounds: when the fan-out class changes.
        tracer: records sampled requests.
    """

    def __init__(
        self,
        database: Database,
        *,
        appender: Appender,
        pending: Pending,
        rests: LargeRests,
        cursors: CursorOperations,
        bounds: FanoutBounds,
        tracer: Tracer = OFF,
    ) -> None:
        self._database = database
        self._appender = appender
        self._pending = pending
        self._rests = rests
        self._cursors = cursors
        self._bounds = bounds
        self._tracer = tracer
        self._coroutines: dict[str, Callable[[Any], Awaitable[bytes]]] = {
            "read_range": self._read_range,
            "load_conversation": self._load_conversation,
            "mark_reads": self._mark_reads,
            "mark_received": self._mark_received,
            "find_append": self._find_append,
            "read_entries": self._read_entries,
        }

    def handle(self, stream: ServerStream, body: bytes, responder: Responder) -> None:
        """Start one request; the answer goes through the responder.

        Raises:
            ImError: OPERATION_UNKNOWN: a newer peer's.
        """
        request = pb.RepoRequest.FromString(body)
        kind = request.WhichOneof("request")
        if not request.trace:
            self._take(stream, kind, request, responder)
            return
        traced = TracedResponder(responder, self._tracer.start(REPO_REQUEST, request.trace, kind=kind or ""))
        with traced.handling():
            self._take(stream, kind, request, traced)

    def _take(self, stream: ServerStream, kind: str | None, request: pb.RepoRequest, responder: Answers) -> None:
        if kind == "append":
            self._appender.submit(to_draft(request.append), responder)
        elif kind == "confirm":
            for one in request.confirm.ranges:
                self._pending.confirm(one.outbox_id, one.conversation_id, from_seq=one.from_seq, to_seq=one.to_seq)
            if request.confirm.large_rest_ms:
                self._rests.rest(stream.peer, request.confirm.large_rest_ms)
            responder.answer_along(_CONFIRMED)  # logic goes on without it
        elif kind is None:
            raise ImError(error_table.OPERATION_UNKNOWN)
        else:
            responder.run(self._answer(self._coroutines[kind], getattr(request, kind)))

    @staticmethod
    async def _answer(operation: Callable[[Any], Awaitable[bytes]], request: object) -> bytes:
        return await operation(request)

    async def _read_range(self, request: pb.ReadRange) -> bytes:
        query = RangeQuery(
            conversation_id=request.conversation_id,
            user_id=request.user_id,
            from_seq=request.from_seq,
            to_seq=request.to_seq,
            limit=request.limit,
            seqs=tuple(request.seqs),
            max_bytes=request.max_bytes,
        )
        found = await self._database.read(partial(read_range, query=query))
        return pb.RepoResponse(range=found).SerializeToString()

    async def _load_conversation(self, request: pb.LoadConversation) -> bytes:
        unit = partial(
            load_conversation,
            conversation_id=request.conversation_id,
            user_id=request.user_id,
            bounds=self._bounds,
        )
        return pb.RepoResponse(conversation=await self._database.read(unit)).SerializeToString()

    async def _mark_reads(self, request: pb.MarkReads) -> bytes:
        return pb.RepoResponse(reads=await self._cursors.mark_reads(request)).SerializeToString()

    async def _mark_received(self, request: pb.MarkReceived) -> bytes:
        return pb.RepoResponse(received=await self._cursors.mark_received(request)).SerializeToString()

    async def _find_append(self, request: pb.FindAppend) -> bytes:
        identity = (request.conversation_id, request.sender_id, request.client_message_id)
        unit = partial(find_append, identity=identity, digest=request.digest, bounds=self._bounds)
        return found_response(await self._database.read(unit), request.conversation_id)

    async def _read_entries(self, request: pb.ReadEntries) -> bytes:
        unit = partial(
            read_entries,
            conversation_id=request.conversation_id,
            from_seq=request.from_seq,
            to_seq=request.to_seq,
        )
        return pb.RepoResponse(entries=await self._database.read(unit)).SerializeToString()


class RepoServicer(RepoServiceServicer):
    """Serves the stream.

    Args:
        server: keeps the streams.
    """

    def __init__(self, server: StreamServer) -> None:
        self._server = server

    async def Connect(self, request_iterator: AsyncIterator[Frame], context: Any) -> None:  # type: ignore[override]  # noqa: ANN401 - grpc.aio's or the in-process one
        """Serve one stream until its peer ends it."""
        await self._server.serve(request_iterator, context)
