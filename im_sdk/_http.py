"""The server's HTTP API, through the standard library in a thread: what a client does once.

Bodies are the protocol's own messages in JSON: snake_case, 64-bit numbers as strings.
"""

import asyncio
import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

from google.protobuf import json_format
from google.protobuf.message import Message as Wire

from im_sdk._errors import ImError, UnreachableError, from_wire

WireT = TypeVar("WireT", bound=Wire)
_ANSWER_LIMIT: Final = 4 * 1024 * 1024


def base_url(url: str) -> str:
    """`http(s)://host:port` of an address in any of its forms: http, https, ws or wss, with or without /ws.

    Raises:
        ValueError: it is no address of a server.
    """
    parts = urlsplit(url)
    scheme = {"http": "http", "https": "https", "ws": "http", "wss": "https"}.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise ValueError(f"not the address of a server: {url!r} (like https://chat.example.org)")
    path = parts.path.rstrip("/").removesuffix("/ws")
    return urlunsplit((scheme, parts.netloc, path, "", ""))


def socket_url(base: str) -> str:
    """The WebSocket's address."""
    return f"{base.replace('http', 'ws', 1)}/ws"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected login would carry the password elsewhere."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        return None


class Http:
    """Calls of one server.

    Args:
        base: as `base_url` gives it.
        tls: for https; None: the system's certificates.
        timeout_s: for each step of a call.
    """

    def __init__(self, base: str, *, tls: ssl.SSLContext | None, timeout_s: float) -> None:
        self._base = base
        self._timeout_s = timeout_s
        context = tls or (ssl.create_default_context() if base.startswith("https") else None)
        self._opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))

    async def call(
        self, method: str, path: str, body: Wire | None, answer: type[WireT], *, token: str = "", operation_id: str = ""
    ) -> WireT:
        """Do a call.

        Cancelling leaves the thread to its timeout: the server may do it all the same.

        Raises:
            ImError: what the server said, or UnreachableError.
        """
        return await asyncio.to_thread(self._call, method, path, body, answer, token, operation_id)

    def _call(
        self, method: str, path: str, body: Wire | None, answer: type[WireT], token: str, operation_id: str
    ) -> WireT:
        headers = {"Accept": "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json_format.MessageToJson(body, preserving_proto_field_name=True, indent=None).encode()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if operation_id:
            headers["Idempotency-Key"] = operation_id
        request = urllib.request.Request(self._base + path, data=data, headers=headers, method=method)  # noqa: S310 - base_url allows http(s) alone
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                text = response.read(_ANSWER_LIMIT)
        except urllib.error.HTTPError as refused:
            with refused:
                raise _refusal(refused.code, refused.headers.get("Retry-After", ""), _read(refused)) from None
        except (OSError, http.client.HTTPException) as unreachable:
            raise UnreachableError.because(getattr(unreachable, "reason", None) or unreachable) from unreachable
        try:
            return json_format.Parse(text or b"{}", answer(), ignore_unknown_fields=True)
        except json_format.ParseError as wrong:
            raise UnreachableError.because(f"no server of ours answered: {wrong}") from wrong


def _read(refused: urllib.error.HTTPError) -> bytes:
    try:
        return refused.read(_ANSWER_LIMIT)
    except OSError:
        return b""


def _refusal(status: int, retry_after: str, body: bytes) -> ImError:
    """The error in an answer's body; without one (a proxy's), by the status."""
    wait_ms = int(retry_after) * 1000 if retry_after.isdigit() else 0
    try:
        told = json.loads(body)
        told = told.get("error", told)
        return from_wire(
            int(told["number"]),
            str(told["name"]),
            str(told.get("message", "")),
            retryable=bool(told.get("retryable", False)),
            retry_after_ms=int(told.get("retry_after_ms", 0)) or wait_ms,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        error = UnreachableError.because(f"HTTP status {status}")
        error.retry_after_ms = wait_ms
        error.retryable = status >= 500 or status == 429
        return error
