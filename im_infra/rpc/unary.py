"""Unary calls, for what happens once in a while: ImError on both sides, gRPC in between."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import grpc
from grpc.aio import AbortError

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability import logs
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
        timeout_s: seconds until DEADLINE_EXCEEDED; travels with the call.

    Raises:
        ImError: what the servicer raised; UNAVAILABLE or DEADLINE_EXCEEDED, with an unknown outcome, from the network.
    """
    try:
        return await method(request, timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        raise status.from_rpc(error) from error


def _told(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def telling(self: object, request: object, context: Any) -> object:  # noqa: ANN401 - grpc.aio's or the in-process one
        try:
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
