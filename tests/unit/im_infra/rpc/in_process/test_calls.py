"""How in-process calls end; that they do what gRPC's do is the contract's."""

import asyncio
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from im_infra.rpc.in_process import InProcessServer
from im_infra.rpc.in_process.calls import InProcessStream, call_unary
from im_proto.repo.v1 import account_pb2, account_pb2_grpc, stream_pb2_grpc
from im_proto.rpc.v1.frame_pb2 import Frame

UNARY = "/im.repo.v1.AccountStoreService/GetUser"
STREAM = "/im.repo.v1.RepoService/Connect"


class Accounts(account_pb2_grpc.AccountStoreServiceServicer):
    async def GetUser(self, request: account_pb2.GetUserRequest, context: Any) -> account_pb2.GetUserResponse:  # noqa: N802 - gRPC's name
        if request.handle == "bug":
            raise ValueError("a bug")
        if request.handle == "times out by itself":
            raise TimeoutError
        context.set_code(grpc.StatusCode.NOT_FOUND)
        return account_pb2.GetUserResponse()


class Echo(stream_pb2_grpc.RepoServiceServicer):
    """Gives back each frame; a frame with credit is a bug, one that drains ends the call."""

    async def Connect(self, _request_iterator: Any, context: Any) -> None:  # noqa: N802 - gRPC's name
        while isinstance(frame := await context.read(), Frame) and not frame.draining:
            if frame.credit:
                raise ValueError("a bug")
            await context.write(frame)


@pytest.fixture
def server() -> InProcessServer:
    server = InProcessServer()
    account_pb2_grpc.add_AccountStoreServiceServicer_to_server(Accounts(), server)
    stream_pb2_grpc.add_RepoServiceServicer_to_server(Echo(), server)
    return server


def stream(server: InProcessServer, method: str = STREAM) -> InProcessStream:
    return InProcessStream(server, method, serialize=Frame.SerializeToString, parse=Frame.FromString, metadata=None)


async def failing(server: InProcessServer, handle: str = "") -> grpc.aio.AioRpcError:
    request = account_pb2.GetUserRequest(handle=handle).SerializeToString()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call_unary(server, UNARY, request, timeout_s=5, metadata=None)
    return caught.value


@pytest.mark.parametrize("handle", ["bug", "times out by itself"])
async def test_what_a_servicer_raises_is_logged_and_unknown(server: InProcessServer, handle: str) -> None:
    with capture_logs() as logs:
        error = await failing(server, handle)
    assert error.code() is grpc.StatusCode.UNKNOWN
    assert logs[0]["event"] == "call failed"


async def test_a_status_that_was_set_ends_the_call(server: InProcessServer) -> None:
    assert (await failing(server)).code() is grpc.StatusCode.NOT_FOUND


async def test_a_server_that_stopped_is_unavailable(server: InProcessServer) -> None:
    await server.stop()
    assert (await failing(server)).code() is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream(server).read()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_stream_carries_messages_until_the_servicer_returns(server: InProcessServer) -> None:
    call = stream(server)
    await call.write(Frame(first_push=7))
    assert await call.read() == Frame(first_push=7)
    await call.write(Frame(draining=True))
    assert await call.read() is grpc.aio.EOF
    assert call.done()
    assert not call.cancel()
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(Frame())


async def test_the_servicer_sees_that_the_caller_writes_no_more(server: InProcessServer) -> None:
    call = stream(server)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_a_stream_ends_with_its_servicers_bug(server: InProcessServer) -> None:
    call = stream(server)
    with capture_logs() as logs:
        await call.write(Frame(credit=1))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.UNKNOWN
    assert logs[0]["event"] == "call failed"


async def test_a_stream_nobody_serves_is_unimplemented(server: InProcessServer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream(server, "/im.repo.v1.RepoService/Unknown").read()
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("end", "code"),
    [("cancel", grpc.StatusCode.CANCELLED), ("stop", grpc.StatusCode.UNAVAILABLE)],
)
async def test_whoever_ends_a_stream_its_reader_learns_it(
    server: InProcessServer, end: str, code: grpc.StatusCode
) -> None:
    call = stream(server)
    reading = asyncio.create_task(call.read())
    await asyncio.sleep(0)
    if end == "cancel":
        assert call.cancel()
    else:
        await server.stop()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await reading
    assert caught.value.code() is code
