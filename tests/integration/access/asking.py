"""The same case over the socket and over HTTP; the routes are those of the live OpenAPI document."""

from dataclasses import dataclass
from typing import Any, Protocol

from google.protobuf import json_format

from im_proto.v1.frame_pb2 import ServerFrame
from tests.integration.access.expected import NOTHING, OK
from tests.integration.access.operations import Fields
from tests.support.http_client import Answer, HttpClient
from tests.support.socket_client import SocketClient


@dataclass(frozen=True, slots=True)
class Reply:
    """An outcome as the table words it, and what a good answer carried."""

    outcome: str
    frame: ServerFrame


class Asking(Protocol):
    """A way to ask."""

    def can(self, operation: str) -> bool:
        """Whether there is a way for this operation."""
        ...

    async def ask(self, operation: str, fields: Fields) -> Reply:
        """Ask, and return what came."""
        ...


class OverSocket:
    """By frames on an open session."""

    def __init__(self, client: SocketClient) -> None:
        self._client = client

    def can(self, operation: str) -> bool:
        """Every operation has a frame."""
        return True

    async def ask(self, operation: str, fields: Fields) -> Reply:
        """One frame, one answer."""
        frame = await self._client.ask_for(operation, **fields)
        answered = frame.WhichOneof("event")
        if answered == "error":
            return Reply(frame.error.name, frame)
        assert answered == operation, f"{operation} was answered by {answered}"
        empty = operation == "get_messages" and not frame.get_messages.messages
        return Reply(NOTHING if empty else OK, frame)


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the document."""

    method: str
    path: str
    target: str
    """Its operationId: the field of ClientFrame, or the RPC of an account."""
    parameters: dict[str, tuple[str, ...]]
    """Names by place: path, query, header."""
    has_body: bool

    def split(self, fields: Fields) -> tuple[str, list[tuple[str, str]], dict[str, str], Fields | None]:
        """Where each field goes: path, query, headers, body."""
        left = dict(fields)
        path = self.path
        for name in self.parameters["path"]:
            value = left.pop(name) if name in left else left.pop(f"{name}s")[0]
            path = path.replace(f"{{{name}}}", str(value))
        query: list[tuple[str, str]] = []
        for name in self.parameters["query"]:
            source = {"user_id": "user_ids", "page_size": "limit"}.get(name, name)
            value = left.pop(name, None) or left.pop(source, None)
            if value is not None:
                query += [(name, str(each)) for each in (value if isinstance(value, list) else [value])]
        headers = {}
        for name in self.parameters["header"]:
            key = left.pop("client_message_id", None) or left.pop("operation_id", None)
            if key:
                headers[name] = str(key)
        assert self.has_body or not left, (self.target, left)
        return path, query, headers, left if self.has_body else None


def routes_of(document: dict[str, Any]) -> list[Route]:
    """Every route of an OpenAPI document, without the prefix that HttpClient puts in front."""
    return [
        Route(
            method.upper(),
            path.removeprefix("/api/v1"),
            described["operationId"],
            {
                place: tuple(each["name"] for each in described.get("parameters", ()) if each["in"] == place)
                for place in ("path", "query", "header")
            },
            "requestBody" in described,
        )
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]


class OverHttp:
    """By the routes, as whoever has the token."""

    def __init__(self, http: HttpClient, routes: list[Route], token: str) -> None:
        self._http = http
        self._routes = {route.target: route for route in routes}
        self._token = token

    def can(self, operation: str) -> bool:
        """Some operations are the socket's alone."""
        return operation in self._routes

    async def ask(self, operation: str, fields: Fields) -> Reply:
        """One request; a good answer as the frame it would have been."""
        answer = await self.request(self._routes[operation], fields)
        if answer.error:
            hidden = operation == "get_messages" and answer.error == "MESSAGE_NOT_FOUND"
            return Reply(NOTHING if hidden else answer.error, ServerFrame())
        frame = ServerFrame()
        body = getattr(frame, operation)
        body.SetInParent()
        json_format.ParseDict(answer.body, body, ignore_unknown_fields=operation == "pull")  # the page token
        return Reply(OK, frame)

    async def request(self, route: Route, fields: Fields) -> Answer:
        """One request, as it is answered."""
        path, query, headers, body = route.split(fields)
        return await self._http.call(route.method, path, token=self._token, params=query, headers=headers, json=body)
