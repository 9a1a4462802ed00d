"""One direction of an in-process stream."""

import asyncio

from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs forgot it


class Pipe:
    """Holds one serialised message; when full, the writer waits. One reader, one writer."""

    def __init__(self) -> None:
        self._message: bytes | None = None
        self._closed = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    async def put(self, message: bytes) -> None:
        """Send a message. Cancelling is safe: it was not sent.

        Raises:
            asyncio.InvalidStateError: the pipe is closed, as gRPC says it.
        """
        while self._message is not None and not self._closed:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
        if self._closed:
            raise asyncio.InvalidStateError("the call is finished")
        self._message = message
        self._wake(self._reader)

    async def take(self) -> object:
        """The next message, or EOF once the pipe is closed and empty. Cancelling is safe: nothing is lost."""
        while self._message is None:
            if self._closed:
                end: object = EOF
                return end
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        message, self._message = self._message, None
        self._wake(self._writer)
        return message

    def close(self) -> None:
        """No more messages; the one inside can still be taken."""
        self._closed = True
        self._wake(self._reader)
        self._wake(self._writer)

    def _wake(self, waiter: asyncio.Future[None] | None) -> None:
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
