"""The model server behind a real port: HTTP for accounts and a WebSocket for frames, for tests of the client."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

from google.protobuf import json_format
from websockets.frames import Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from im_proto.v1 import account_pb2, frame_pb2
from im_sdk._error_table import KINDS, RETRYABLE, ErrorNumber
from tests.sdk_support.model_server import Connection, ModelServer


class LiveServer:
    """Serves a ModelServer on 127.0.0.1; `rules` may change what HTTP answers."""

    def __init__(self, model: ModelServer) -> None:
        self.model = model
        self.lines: list[Line] = []
        self.calls: list[tuple[str, str, dict[str, Any], str]] = []
        self.http_rule: Callable[[str], tuple[int, dict[str, Any]] | None] = lambda _path: None
        self.handles = model.handles
        self.refuse_handshake: tuple[int, dict[str, str]] | None = None
        self.silent = False
        """Take what comes and say nothing."""
        self.url = ""
        self._server: asyncio.Server | None = None
        self._last_user = 0
        self._tokens = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for line in list(self.lines):
            line.abort()
        await self._server.wait_closed()

    def flush(self) -> None:
        """Bring every waiting frame onto its socket."""
        if self.silent:
            return
        for line in list(self.lines):
            line.flush()

    def abort_all(self) -> None:
        """The network breaks."""
        for line in list(self.lines):
            line.abort()

    def close_all(self, code: int) -> None:
        """Close every socket with a code."""
        for line in list(self.lines):
            line.connection.close(code)
            line.flush()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade: websocket" in head.lower():
                line = Line(self, reader, writer)
                await line.run(head)
            else:
                await self._http(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _http(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = head.decode().split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"{}")
        self.calls.append((method, path, body, headers.get("idempotency-key", "")))
        status, answer = self.http_rule(path) or self._account(path, body)
        data = json.dumps(answer).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)
        await writer.drain()

    def _account(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: PLR0911 - one a path
        match path.removeprefix("/api/v1"):
            case "/register":
                user_id = self.handles.setdefault(body["handle"], len(self.handles) + 1)
                return 200, self.grant(user_id, body["handle"])
            case "/login":
                if body["handle"] not in self.handles:
                    return 401, refusal(ErrorNumber.CREDENTIALS_WRONG)
                return 200, self.grant(self.handles[body["handle"]], body["handle"])
            case "/guests":
                user_id = self.handles.setdefault(body["operation_id"], len(self.handles) + 1)
                return 200, self.grant(user_id, "")
            case "/refresh":
                return 200, self.grant(int(body["refresh_token"].split("-")[1]), "")
            case "/devices":
                return 200, {"devices": [{"session_id": "5", "device_id": "d", "current": True}]}
            case _:
                return 200, {}

    def grant(self, user_id: int, handle: str, *, expire_time: int = 0) -> dict[str, Any]:
        """What a login answers."""
        self._tokens += 1
        grant = account_pb2.TokenGrant(
            session_id=7,
            access_token=f"token-{user_id}-{self._tokens}",
            refresh_token=f"refresh-{user_id}-{self._tokens}",
            access_expire_time=expire_time,
        )
        grant.user.user_id = user_id
        grant.user.handle = handle
        return {"grant": json_format.MessageToDict(grant, preserving_proto_field_name=True)}


class Line:
    """One WebSocket."""

    def __init__(self, server: LiveServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.connection = Connection()
        self._reader = reader
        self._writer = writer
        self._protocol = ServerProtocol(subprotocols=[Subprotocol("im.v1.protobuf")])

    async def run(self, head: bytes) -> None:
        """Until either side closes."""
        server = self.server
        self._protocol.receive_data(head)
        request = self._protocol.events_received()[0]
        assert isinstance(request, Request)
        response: Response = self._protocol.accept(request)
        if server.refuse_handshake is not None:
            status, headers = server.refuse_handshake
            response = self._protocol.reject(status, "no")
            for key, value in headers.items():
                response.headers[key] = value
        self._protocol.send_response(response)
        self._write()
        if server.refuse_handshake is not None:
            return
        self.connection = server.model.connect()
        server.lines.append(self)
        try:
            while data := await self._reader.read(65_536):
                self._protocol.receive_data(data)
                for event in self._protocol.events_received():
                    if getattr(event, "opcode", None) is Opcode.BINARY:
                        server.model.receive(self.connection, bytes(event.data))  # type: ignore[union-attr]
                self._write()
                server.flush()
                if self._protocol.state is State.CLOSED:
                    return
        finally:
            self.connection.open = False
            server.lines.remove(self)

    def flush(self) -> None:
        """Write what waits, then close if the model did."""
        frames = self.connection.take()
        if self._protocol.state is not State.OPEN:
            return
        if frames:
            self._protocol.send_binary(frame_pb2.ServerFrames(frames=frames).SerializeToString())
        if not self.connection.open:
            self._protocol.send_close(self.connection.close_code)
        self._write()

    def abort(self) -> None:
        """Cut the cable."""
        self.connection.open = False
        self._writer.transport.abort()

    def _write(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)
            else:
                self._writer.close()  # the protocol's way to say that the connection is over


def refusal(number: ErrorNumber, *, retry_after_ms: int = 0) -> dict[str, Any]:
    """An error's body."""
    return {
        "number": int(number),
        "name": number.name,
        "message": KINDS[number].lower(),
        "retryable": number in RETRYABLE,
        "retry_after_ms": str(retry_after_ms),
    }
