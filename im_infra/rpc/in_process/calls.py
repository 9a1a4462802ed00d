"""Calls from one service to another in the same process."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import grpc
from grpc.aio import AbortError

from im_infra.aio import spawn
from im_infra.observability import logs
from im_infra.rpc.duplex import StreamLostError
from im_infra.rpc.in_process.context import InProcessContext, MetadataPairs, Status
from im_infra.rpc.in_process.direct import direct_pair
from im_infra.rpc.in_process.server import InProcessServer

_LOG: Final = logs.get(__name__)


async def call_unary(
    server: InProcessServer,
    method: str,
    request: bytes,
    *,
    timeout_s: float | None,
    metadata: MetadataPairs | None,
) -> bytes:
    """Run a unary method in the caller's task; cancelling cancels the method, as the network would.

    Raises:
        grpc.aio.AioRpcError: as the network would.
    """
    context = InProcessContext(metadata=metadata, timeout_s=timeout_s)
    handler = _find(server, method, context.status)
    if handler is None:
        raise context.status.error()
    body = b""
    try:
        async with asyncio.timeout(timeout_s) as limit:
            body = handler.response_serializer(
                await handler.unary_unary(handler.request_deserializer(request), context)
            )
    except TimeoutError as error:
        if not limit.expired():
            _failed(method, error, context.status)
        else:
            _end(context.status, grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
    except AbortError:
        pass
    except Exception as error:  # noqa: BLE001 - the edge of a request: logged and answered
        _failed(method, error, context.status)
    if context.status.code is not grpc.StatusCode.OK:
        raise context.status.error()
    return body


class InProcessStream:
    """A call of which both directions stream, as `stub.Connect()` returns it: it carries frames, by `duplex`."""

    def __init__(self, server: InProcessServer, method: str, *, metadata: MetadataPairs | None) -> None:
        self._method = method
        self._status = Status()
        self._task: asyncio.Task[Any] | None = None
        self.duplex, servers_end = direct_pair()
        """The caller's side of both directions."""
        handler = _find(server, method, self._status)
        if handler is None:
            self._close()
            return
        context = InProcessContext(metadata=metadata, duplex=servers_end)
        self._status = context.status
        self._task = spawn(self._run(handler.stream_stream, context), name=f"rpc.in-process {method}")
        self._task.add_done_callback(self._done)
        server.hold(self._task)

    def cancel(self) -> bool:
        """End the call at once; False: it ended before."""
        if self._task is None or self._task.done():
            return False
        if self._status.code is grpc.StatusCode.OK:
            _end(self._status, grpc.StatusCode.CANCELLED, "Locally cancelled by application!")
        self._task.cancel()
        self._close()
        return True

    def done(self) -> bool:
        """The call ended."""
        return self._task is None or self._task.done()

    async def _run(self, method: Callable[[Any, InProcessContext], Any], context: InProcessContext) -> None:
        try:
            await method(None, context)
        except AbortError:
            pass
        except Exception as error:  # noqa: BLE001 - the edge of a request: logged and answered
            _failed(self._method, error, context.status)

    def _done(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled() and self._status.code is grpc.StatusCode.OK:
            _end(self._status, grpc.StatusCode.UNAVAILABLE, "the server stopped")
        self._close()

    def _close(self) -> None:
        """Neither side gives anything more; the caller learns the status."""
        status = self._status
        failed = status.code is not grpc.StatusCode.OK
        self.duplex.end(StreamLostError(f"{status.code.name}: {status.details}") if failed else None)
        self.duplex.other.end()


def _find(server: InProcessServer, method: str, status: Status) -> Any | None:  # noqa: ANN401 - grpc.RpcMethodHandler
    if not server.serving:
        _end(status, grpc.StatusCode.UNAVAILABLE, "the server stopped")
        return None
    handler = server.find(method)
    if handler is None:
        _end(status, grpc.StatusCode.UNIMPLEMENTED, f"{method} is not served here")
    return handler


def _failed(method: str, error: Exception, status: Status) -> None:
    _LOG.error("call failed", method=method, exc_info=error)
    _end(status, grpc.StatusCode.UNKNOWN, f"Unexpected {type(error)}: {error}")


def _end(status: Status, code: grpc.StatusCode, details: str) -> None:
    status.code, status.details, status.trailing_metadata = code, details, ()
