"""Errors as HTTP answers."""

import math
from http import HTTPStatus
from typing import Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from im_gateway.codec.frames import to_error
from im_gateway.codec.json_mapping import to_json_value
from im_infra import error_table
from im_infra.error_kind import Kind
from im_infra.error_table import Reason
from im_infra.errors import ImError
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

_BY_REASON: Final[dict[Reason, HTTPStatus]] = {
    error_table.FRAME_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    error_table.VERSION_UNSUPPORTED: HTTPStatus.UPGRADE_REQUIRED,
    error_table.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    error_table.TOKEN_EXPIRED: HTTPStatus.UNAUTHORIZED,
    error_table.SESSION_REVOKED: HTTPStatus.UNAUTHORIZED,
    error_table.KICKED: HTTPStatus.UNAUTHORIZED,
    error_table.CREDENTIALS_WRONG: HTTPStatus.UNAUTHORIZED,
    error_table.REFRESH_REUSED: HTTPStatus.UNAUTHORIZED,
    error_table.OVERLOADED: HTTPStatus.SERVICE_UNAVAILABLE,
    error_table.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
    error_table.STORAGE_FULL: HTTPStatus.INSUFFICIENT_STORAGE,
}
_BY_KIND: Final = {
    Kind.INVALID: HTTPStatus.BAD_REQUEST,
    Kind.DENIED: HTTPStatus.FORBIDDEN,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    Kind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Kind.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def status_of(reason: Reason) -> HTTPStatus:
    """The status that fits a reason."""
    return _BY_REASON.get(reason) or _BY_KIND[reason.kind]


def to_response(error: ImError) -> Response:
    """The answer of a failed request: the same Error as over the socket."""
    headers = {}
    if error.retry_after_ms:
        headers["Retry-After"] = str(math.ceil(error.retry_after_ms / 1000))
    status = status_of(error.reason)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(to_json_value(to_error(error)), status_code=status, headers=headers)


async def on_im_error(_request: Request, error: Exception) -> Response:
    """Exception handler of the application for what was raised on purpose."""
    assert isinstance(error, ImError)
    return to_response(error)


async def on_bug(request: Request, error: Exception) -> Response:
    """Exception handler of the application for the rest."""
    _LOG.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return to_response(ImError(error_table.INTERNAL))


async def on_disconnect(_request: Request, _error: Exception) -> Response:
    """Exception handler for a client that went away, or was sent away, in the middle of its request: nobody listens."""
    return Response(status_code=HTTPStatus.REQUEST_TIMEOUT)


async def on_http_error(_request: Request, error: Exception) -> Response:
    """Exception handler for what the framework says by itself: no such path, or not with this method."""
    status = getattr(error, "status_code", HTTPStatus.NOT_FOUND)
    told = ImError(error_table.NOT_FOUND if status == HTTPStatus.NOT_FOUND else error_table.FIELD_INVALID)
    response = to_response(told)
    response.status_code = status
    headers = getattr(error, "headers", None) or {}
    response.headers.update(headers)
    return response
