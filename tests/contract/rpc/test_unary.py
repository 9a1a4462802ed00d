"""Unary calls, over a socket and within the process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.observability.span_names import LOGIC_REQUEST
from im_infra.observability.tracing import Span, active_span
from im_infra.rpc.unary import call_unary, unary_errors
from im_proto.repo.v1 import account_pb2, account_pb2_grpc
from tests.support.spans import RecordingTracer

Serve = Callable[[Callable[[grpc.aio.Server], None]], Awaitable[grpc.aio.Channel]]
GetUser = Callable[..., Awaitable[account_pb2.GetUserResponse]]


@unary_errors
class Servicer(account_pb2_grpc.AccountStoreServiceServicer):
    def __init__(self) -> None:
        self.cancelled = asyncio.Event()
        self.seen: list[account_pb2.GetUserRequest] = []
        self.span: Span | None = None

    async def GetUser(self, request: account_pb2.GetUserRequest, context: Any) -> account_pb2.GetUserResponse:  # noqa: N802 - gRPC's name
        self.seen.append(request)
        self.span = active_span()
        match request.handle:
            case "known":
                return account_pb2.GetUserResponse(user=account_pb2.UserRow(user_id=7))
            case "conflict":
                raise ImError(error_table.CONFLICT, "other content", detail=b"\x00stored")
            case "busy":
                raise ImError(error_table.STORAGE_BUSY, retry_after_ms=250)
            case "draining":
                raise NotStartedError
            case "bug":
                raise ValueError("secret words")
            case "aborts":
                await context.abort(grpc.StatusCode.UNAVAILABLE, "by hand")
            case _:
                assert context.time_remaining() < 60
                try:
                    await asyncio.Event().wait()
                finally:
                    self.cancelled.set()
        return account_pb2.GetUserResponse()


@pytest.fixture
def servicer() -> Servicer:
    return Servicer()


@pytest.fixture
async def get_user(serve: Serve, servicer: Servicer) -> GetUser:
    channel = await serve(lambda server: account_pb2_grpc.add_AccountStoreServiceServicer_to_server(servicer, server))
    stub = account_pb2_grpc.AccountStoreServiceStub(channel)

    async def call(handle: str, timeout_s: float = 5.0) -> account_pb2.GetUserResponse:
        return await call_unary(stub.GetUser, account_pb2.GetUserRequest(handle=handle), timeout_s=timeout_s)

    return call


async def test_a_call_returns_the_response(get_user: GetUser) -> None:
    assert (await get_user("known")).user.user_id == 7


async def test_the_two_sides_never_share_a_message(serve: Serve, servicer: Servicer) -> None:
    channel = await serve(lambda server: account_pb2_grpc.add_AccountStoreServiceServicer_to_server(servicer, server))
    request = account_pb2.GetUserRequest(handle="known")
    await call_unary(account_pb2_grpc.AccountStoreServiceStub(channel).GetUser, request, timeout_s=5)
    assert servicer.seen[0] == request
    assert servicer.seen[0] is not request


async def test_the_trace_of_a_sampled_request_travels(get_user: GetUser, servicer: Servicer) -> None:
    """The asker records the call, failures included; the other side knows whose it is."""
    tracer = RecordingTracer()
    request = tracer.start(LOGIC_REQUEST)
    with request.active():
        await get_user("known")
        call = tracer.spans[1]
        assert servicer.span is not None
        assert servicer.span.context == call.context
        with pytest.raises(ImError):
            await get_user("busy")
    await get_user("known")
    assert servicer.span is None
    assert [(span.name, span.parent) for span in tracer.spans[1:]] == [("logic.call", request.context)] * 2
    assert (call.ended, call.error) == (True, None)
    failed = tracer.spans[2].error
    assert failed is not None
    assert failed.reason is error_table.STORAGE_BUSY


async def test_an_error_comes_back_with_its_reason_words_and_detail(get_user: GetUser) -> None:
    with pytest.raises(ImError) as caught:
        await get_user("conflict")
    assert caught.value.reason is error_table.CONFLICT
    assert caught.value.message == "other content"
    assert caught.value.detail == b"\x00stored"


async def test_an_error_comes_back_with_its_advice_when_to_retry(get_user: GetUser) -> None:
    with pytest.raises(ImError) as caught:
        await get_user("busy")
    assert caught.value.reason is error_table.STORAGE_BUSY
    assert caught.value.retry_after_ms == 250


async def test_a_request_that_was_not_started_says_so(get_user: GetUser) -> None:
    with pytest.raises(NotStartedError):
        await get_user("draining")


async def test_a_bug_is_told_as_internal_without_its_words(get_user: GetUser) -> None:
    with pytest.raises(ImError) as caught:
        await get_user("bug")
    assert caught.value.reason is error_table.INTERNAL
    assert "secret" not in caught.value.message


async def test_a_servicer_may_abort_by_hand(get_user: GetUser) -> None:
    with pytest.raises(ImError) as caught:
        await get_user("aborts")
    assert caught.value.reason is error_table.UNAVAILABLE
    assert "by hand" in caught.value.message


async def test_a_call_past_its_deadline_ends_on_both_sides(get_user: GetUser, servicer: Servicer) -> None:
    with pytest.raises(ImError) as caught:
        await get_user("slow", timeout_s=0.1)
    assert caught.value.reason is error_table.DEADLINE_EXCEEDED
    async with asyncio.timeout(5):
        await servicer.cancelled.wait()


async def test_a_cancelled_call_ends_on_both_sides(get_user: GetUser, servicer: Servicer) -> None:
    asked = asyncio.create_task(get_user("slow"))
    async with asyncio.timeout(5):
        while not servicer.seen:
            await asyncio.sleep(0.001)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await servicer.cancelled.wait()


async def test_a_method_nobody_serves_is_internal(serve: Serve) -> None:
    channel = await serve(lambda _: None)
    stub = account_pb2_grpc.AccountStoreServiceStub(channel)
    with pytest.raises(ImError) as caught:
        await call_unary(stub.GetUser, account_pb2.GetUserRequest(), timeout_s=5)
    assert caught.value.reason is error_table.INTERNAL
    assert "UNIMPLEMENTED" in caught.value.message
