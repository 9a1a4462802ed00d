"""A peer of whose wire a test holds the other end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from grpc.aio import EOF

from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.wire_form import from_wire, to_wire
from im_proto.rpc.v1 import frame_pb2


class Wire:
    """Both a client's call and a servicer's context: a test gives what is read and sees what was written."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[object] = asyncio.Queue()
        self.written: list[Frame] = []
        self.cancelled = False
        self.writable = asyncio.Event()
        self.writable.set()

    def give(self, *frames: Frame) -> None:
        for frame in frames:
            self.incoming.put_nowait(to_wire(frame))

    def end(self) -> None:
        self.incoming.put_nowait(EOF)

    def break_(self, error: BaseException) -> None:
        self.incoming.put_nowait(error)

    async def read(self) -> object:
        frame = await self.incoming.get()
        if isinstance(frame, BaseException):
            raise frame
        return frame

    async def write(self, message: frame_pb2.Frame) -> None:
        self.written.append(from_wire(message))
        await self.writable.wait()

    def cancel(self) -> bool:
        self.cancelled = True
        return True


@pytest.fixture
def wire() -> Wire:
    return Wire()


Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0.001)

    return wait
