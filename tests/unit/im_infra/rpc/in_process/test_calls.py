"""How in-process calls end; that they do what gRPC's do is the contract's."""

import asyncio
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from im_infra.rpc.core.frame import Frame
from im_infra.rpc.duplex import StreamLostError
from im_infra.rpc.in_process import InProcessServer
from im_infra.rpc.in_process.calls import InProcessStream, call_unary
from im_proto.repo.v1 import account_pb2, account_pb2_grpc, stream_pb2_grpc

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
        drained = asyncio.Event()

        def take(frame: Frame) -> None:
            if frame.credit:
                raise ValueError("a bug")
            if frame.draining:
                drained.set()
            context.duplex.other.give(frame)

        receiving = asyncio.ensure_future(context.duplex.receive(take))
        draining = asyncio.ensure_future(drained.wait())
        await asyncio.wait((receiving, draining), return_when=asyncio.FIRST_COMPLETED)
        draining.cancel()
        if receiving.done():
            receiving.result()
        receiving.cancel()


@pytest.fixture
def server() -> InProcessServer:
    server = InProcessServer()
    account_pb2_grpc.add_AccountStoreServiceServicer_to_server(Accounts(), server)
    stream_pb2_grpc.add_RepoServiceServicer_to_server(Echo(), server)
    return server


def stream(server: InProcessServer, method: str = STREAM) -> InProcessStream:
    return InProcessStream(server, method, metadata=None)


class Caller:
    """A stream's caller: gives frames and keeps what comes."""

    def __init__(self, call: InProcessStream) -> None:
        self.call = call
        self.taken: list[Frame] = []
        self.task = asyncio.ensure_future(call.duplex.receive(self.taken.append))

    async def reason(self) -> str:
        with pytest.raises(StreamLostError) as caught:
            async with asyncio.timeout(5):
                await self.task
        return str(caught.value)


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
    assert "UNAVAILABLE" in await Caller(stream(server)).reason()


async def test_a_stream_carries_frames_until_the_servicer_returns(server: InProcessServer) -> None:
    caller = Caller(stream(server))
    frames = [Frame(first_push=7), Frame(draining=True)]
    for frame in frames:
        assert caller.call.duplex.other.give(frame)
    async with asyncio.timeout(5):
        await caller.task
    assert caller.taken == frames
    assert caller.call.done()
    assert not caller.call.cancel()
    assert not caller.call.duplex.other.give(Frame())


async def test_a_stream_ends_with_its_servicers_bug(server: InProcessServer) -> None:
    caller = Caller(stream(server))
    with capture_logs() as logs:
        caller.call.duplex.other.give(Frame(credit=1))
        assert "UNKNOWN" in await caller.reason()
    assert logs[0]["event"] == "call failed"


async def test_a_stream_nobody_serves_is_unimplemented(server: InProcessServer) -> None:
    assert "UNIMPLEMENTED" in await Caller(stream(server, "/im.repo.v1.RepoService/Unknown")).reason()


@pytest.mark.parametrize(("end", "code"), [("cancel", "CANCELLED"), ("stop", "UNAVAILABLE")])
async def test_whoever_ends_a_stream_its_reader_learns_it(server: InProcessServer, end: str, code: str) -> None:
    caller = Caller(stream(server))
    await asyncio.sleep(0)
    if end == "cancel":
        assert caller.call.cancel()
    else:
        await server.stop()
    assert code in await caller.reason()
