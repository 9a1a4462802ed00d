"""Unary calls, for what happens once in a while: ImError on both sides, gRPC in between."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, TypeVar

import grpc
from grpc.aio import AbortError

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability import logs, traceparent
from im_infra.observability.span_names import LOGIC_CALL
from im_infra.observability.tracing import OFF, Span, active_span
from im_infra.rpc import status

_LOG: Final = logs.get(__name__)

Servicer = TypeVar("Servicer")
Response = TypeVar("Response")


def unary_errors(servicer: type[Servicer]) -> type[Servicer]:
    """Class decorator of a servicer: what its coroutine methods raise becomes the call's status.

    An ImError is told as it is; anything else is logged with its traceback and told as INTERNAL, without its words.
    """
    for name, method in list(vars(servicer).items()):
        if name[0].isupper() and inspect.iscoroutinefunction(method):
            setattr(servicer, name, _told(method))
    return servicer


async def call_unary(method: Callable[..., Awaitable[Response]], request: object, *, timeout_s: float) -> Response:
    """Call a stub's method. Cancelling cancels the call; its outcome is then unknown.

    Args:
        method: a unary method of a generated stub.
        request: its request message.
        timeout_s: seconds until DEADLINE_EXCEEDED; travels with the call, and so does the trace of a sampled request.

    Raises:
        ImError: what the servicer raised; UNAVAILABLE or DEADLINE_EXCEEDED, with an unknown outcome, from the network.
    """
    active = active_span()
    if active is not None:
        return await _call_traced(method, request, active, timeout_s=timeout_s)
    try:
        return await method(request, timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        raise status.from_rpc(error) from error


async def _call_traced(
    method: Callable[..., Awaitable[Response]], request: object, active: Span, *, timeout_s: float
) -> Response:
    span = active.child(LOGIC_CALL, request=type(request).__name__)
    metadata = ((traceparent.HEADER, traceparent.write(span.context)),)
    failed: ImError | None = None
    try:
        return await method(request, timeout=timeout_s, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        failed = status.from_rpc(error)
        raise failed from error
    finally:
        span.end(failed)


def _told(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def telling(self: object, request: object, context: Any) -> object:  # noqa: ANN401 - grpc.aio's or the in-process one
        try:
            with _span_of(context):
                return await method(self, request, context)
        except AbortError:
            raise
        except ImError as error:
            told = error
        except Exception:  # noqa: BLE001 - the edge of a request: logged and answered
            _LOG.exception("request failed", method=method.__qualname__)
            told = ImError(error_table.INTERNAL)
        await context.abort(*status.to_rpc(told))
        raise AssertionError("abort raises")

    return telling


def _span_of(context: Any) -> AbstractContextManager[None]:  # noqa: ANN401 - as above
    """The asker's span, for our lines in the log; the asker records it."""
    for name, value in context.invocation_metadata() or ():
        if name == traceparent.HEADER:
            parent = traceparent.read(value)
            if parent:
                return OFF.start(LOGIC_CALL, parent).active()
    return nullcontext()
