"""Running one operation of the HTTP API: read, authenticate, ask logic, answer."""

from typing import Any, Final, cast

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from google.protobuf.message import Message

from im_gateway.codec.json_mapping import to_json_value
from im_gateway.http.caller import Callers
from im_gateway.http.history_page import next_page_token, take_page_token, with_next_page_token
from im_gateway.http.operations import Access, Operation, Via
from im_gateway.http.reading import read_request
from im_gateway.sessions.logic_link import LogicLink
from im_gateway.sessions.traces import Traces
from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability import traceparent
from im_infra.rpc.service_pool import ServicePool
from im_infra.rpc.unary import call_unary
from im_proto.logic.v1 import account_pb2
from im_proto.logic.v1.account_pb2_grpc import AccountServiceStub
from im_proto.logic.v1.stream_pb2 import Caller
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import PullRequest, PullResponse

_ACCOUNT_TIMEOUT_S: Final = 10.0
"""A login waits for its turn at hashing."""


class HttpDispatch:
    """Runs operations.

    Args:
        callers: authenticates and limits.
        link: the stream to logic.
        accounts: logic's account service.
        traces: begins those of sampled requests; None: nothing is traced.
    """

    def __init__(
        self, callers: Callers, link: LogicLink, accounts: ServicePool, *, traces: Traces | None = None
    ) -> None:
        self._callers = callers
        self._link = link
        self._accounts = accounts
        self._traces = traces

    async def run(self, operation: Operation, request: Request) -> Response:
        """Answer one request; raises ImError. A client that goes away leaves what was asked to run its course."""
        if operation.target == "pull":
            return await self._history(operation, request)
        response = await self._ask(operation, request)
        value = to_json_value(response)
        if operation.target == "get_messages" and not value["messages"]:
            raise ImError(error_table.MESSAGE_NOT_FOUND)
        return JSONResponse(value, headers={"Cache-Control": "no-store"})

    async def _ask(self, operation: Operation, request: Request) -> Message:
        if operation.access is Access.ANYBODY:
            address = self._callers.address(request)
            self._callers.limit_way_in(address)
            message = await read_request(operation, request)
            return await self._call_account(operation, message, address=address)
        caller = await self._callers.authenticate(request, operation)
        message = await read_request(operation, request)
        if operation.via is Via.ACCOUNT:
            return await self._call_account(operation, message, caller=caller)
        return await self._command(operation, caller, message, request)

    async def _history(self, operation: Operation, request: Request) -> Response:
        caller = await self._callers.authenticate(request, operation)
        query = [(name, text) for name, text in request.query_params.multi_items() if name != "page_token"]
        message = cast(PullRequest, await read_request(operation, request, query=query))
        take_page_token(message, request.query_params.get("page_token", ""))
        response = cast(PullResponse, await self._command(operation, caller, message, request))
        value = with_next_page_token(to_json_value(response), next_page_token(message, response))
        return JSONResponse(value, headers={"Cache-Control": "no-store"})

    async def _command(self, operation: Operation, caller: Caller, message: Message, request: Request) -> Message:
        frame = ClientFrame()
        getattr(frame, operation.target).CopyFrom(message)
        if operation.target == "send" and not frame.send.attempt:
            frame.send.attempt = 2  # HTTP clients repeat by Idempotency-Key and do not count; let the id be looked up
        answer = ServerFrame.FromString(await self._call_logic(caller, frame, request))
        return cast(Message, getattr(answer, operation.target))

    async def _call_logic(self, caller: Caller, frame: ClientFrame, request: Request) -> bytes:
        if self._traces is None:
            return await self._link.call(caller, frame.SerializeToString())
        frame.traceparent = request.headers.get(traceparent.HEADER, "")
        span = self._traces.begin(frame)
        frame.ClearField("traceparent")
        if span is None:
            return await self._link.call(caller, frame.SerializeToString())
        failed: ImError | None = None
        try:
            with span.active():
                return await self._link.call(caller, frame.SerializeToString(), trace=span.context)
        except ImError as error:
            failed = error
            raise
        finally:
            span.end(failed)

    async def _call_account(
        self, operation: Operation, message: Message, *, address: str = "", caller: Caller | None = None
    ) -> Message:
        fields: dict[str, Any] = {"request": message}
        if caller is None:
            fields["address"] = address
        else:
            fields["caller"] = caller
        request = getattr(account_pb2, f"{operation.target}Request")(**fields)
        stub = self._accounts.stub(AccountServiceStub, key=caller.user_id if caller else None)
        method = getattr(stub, operation.target)
        response: Message = await call_unary(method, request, timeout_s=_ACCOUNT_TIMEOUT_S)
        return response
