"""The FastAPI application."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from im_gateway.http import openapi, problems
from im_gateway.http.dispatch import HttpDispatch
from im_gateway.http.operations import OPERATIONS, Operation
from im_infra.errors import ImError

PREFIX: Final = "/api/v1"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key")


def create_application(
    dispatch: HttpDispatch, *, version: str, allowed_origins: tuple[str, ...], web_dir: Path | None
) -> FastAPI:
    """The application with every route of the table.

    Args:
        dispatch: runs operations.
        version: the server's.
        allowed_origins: pages of other hosts that may call.
        web_dir: the web client's files, served at /; None: none.
    """
    application = FastAPIOffline(  # a FastAPI whose /docs loads nothing from elsewhere
        title="im",
        version=version,
        summary="What a client does once; what it does all the time, it does over the WebSocket at /ws.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url="/docs",
        redoc_url=None,
        static_url="/docs/assets",
    )
    for operation in OPERATIONS:
        application.add_api_route(
            PREFIX + operation.path,
            _endpoint(dispatch, operation),
            methods=[operation.method],
            summary=operation.summary,
            tags=[operation.tag],
            operation_id=operation.target,
            openapi_extra=openapi.describe(operation),
            response_class=Response,
        )
    application.add_exception_handler(ImError, problems.on_im_error)
    application.add_exception_handler(HTTPException, problems.on_http_error)
    application.add_exception_handler(ClientDisconnect, problems.on_disconnect)
    application.add_exception_handler(Exception, problems.on_bug)
    if allowed_origins:
        application.add_middleware(
            CORSMiddleware,
            allow_origins=list(allowed_origins),
            allow_methods=list(_METHODS),
            allow_headers=list(_HEADERS),
        )
    if web_dir is not None:
        application.mount("/", StaticFiles(directory=web_dir, html=True), name="web")
    _complete_openapi(application)
    return application


def _endpoint(dispatch: HttpDispatch, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await dispatch.run(operation, request)

    endpoint.__name__ = operation.target
    return endpoint


def _complete_openapi(application: FastAPI) -> None:
    plain = application.openapi
    document: dict[str, Any] = {}

    def complete() -> dict[str, Any]:
        if not document:
            document.update(openapi.complete(plain(), OPERATIONS))
        return document

    application.openapi = complete  # type: ignore[method-assign]  # FastAPI's documented way
