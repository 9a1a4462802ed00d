"""The port for operators: health, readiness, metrics. Never public.

A few lines of HTTP/1.1 on asyncio instead of a framework, so that every process has it at no cost and a stuck
application server cannot take it along. One request a connection; head at most 8 KiB within 5 s.
"""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs

from google.protobuf.json_format import MessageToJson

from im_infra.node_status import NodeStatus
from im_infra.observability import logs
from im_infra.observability.metrics import CONTENT_TYPE, Metrics
from im_infra.readiness import Asked, look_at

_LOG: Final = logs.get(__name__)

_REQUEST_DEADLINE_S: Final = 5.0
_MAX_HEAD_BYTES: Final = 8 * 1024
_MAX_CONNECTIONS: Final = 64


class InternalPort:
    """Serves `/healthz`, `/readyz` and `/metrics` while its context is open.

    - `/healthz`: 200 while the loop lives.
    - `/readyz`: 200 when every check passes and the process does not drain, else 503; JSON with each check's outcome.
      The checks run side by side, each for at most 1 s.
    - `/status`: the process as `im status` shows it, GetStatusResponse as JSON; where it has one.
    - `/metrics`: Prometheus' text format; `?name[]=` picks some, for who asks often: all of them are milliseconds.

    Args:
        host: address to listen on.
        port: port to listen on; 0 takes a free one (see `port`).
        metrics: of the process.
        health: the checks by name, looked at anew each time, so that they may grow; one that raises is not ready.
        status: what the process tells about itself.
    """

    def __init__(
        self, host: str, port: int, metrics: Metrics, health: Mapping[str, Asked], status: NodeStatus | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._metrics = metrics
        self._health = health
        self._status = status
        self._ready = True
        self._server: asyncio.Server | None = None
        self._connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=_MAX_HEAD_BYTES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None, "opened by __aenter__"
        self._server.close()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The bound port."""
        assert self._server is not None, "bound while the context is open"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def set_ready(self, ready: bool) -> None:  # noqa: FBT001 - the value is the whole message
        """Say whether the process takes work; False on drain, so that load balancers go elsewhere."""
        self._ready = ready

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= _MAX_CONNECTIONS:  # full: the newcomer is dropped, those being served finish
            writer.transport.abort()
            return
        self._connections += 1
        try:
            async with asyncio.timeout(_REQUEST_DEADLINE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._respond(head))
                await writer.drain()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            _LOG.debug("internal request dropped")
        finally:
            self._connections -= 1
            writer.close()

    async def _respond(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path, _, query = rest.partition(b" ")[0].decode("latin-1").partition("?")
        if method not in {b"GET", b"HEAD"}:
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, b"", headers="Allow: GET, HEAD\r\n")
        status, body, content_type = await self._resource(path, query)
        return _response(status, body, content_type, with_body=method == b"GET")

    async def _resource(self, path: str, query: str) -> tuple[HTTPStatus, bytes, str]:
        match path:
            case "/healthz":
                return HTTPStatus.OK, b"ok\n", "text/plain"
            case "/readyz":
                outcomes = {name: outcome.error or "ok" for name, outcome in (await look_at(self._health)).items()}
                ready = self._ready and all(outcome == "ok" for outcome in outcomes.values())
                body = json.dumps({"ready": ready, "draining": not self._ready, "checks": outcomes}) + "\n"
                status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
                return status, body.encode(), "application/json"
            case "/metrics":
                return HTTPStatus.OK, self._metrics.render(parse_qs(query).get("name[]", ())), CONTENT_TYPE
            case "/status" if self._status is not None:
                told = MessageToJson(await self._status.describe(), preserving_proto_field_name=True)
                return HTTPStatus.OK, told.encode(), "application/json"
            case _:
                return HTTPStatus.NOT_FOUND, b"/healthz /readyz /status /metrics\n", "text/plain"


def _response(
    status: HTTPStatus, body: bytes, content_type: str = "text/plain", *, headers: str = "", with_body: bool = True
) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        f"Cache-Control: no-store\r\nConnection: close\r\n{headers}\r\n"
    )
    return head.encode("latin-1") + (body if with_body else b"")
