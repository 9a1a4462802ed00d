"""Judging a WebSocket handshake: rules only."""

import binascii
import re
from base64 import b64decode
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from im_gateway.transport.head import Head
from im_gateway.transport.origins import origin_allowed
from im_infra import error_table
from im_infra.error_table import Reason

WEBSOCKET_VERSION = "13"
_OTHER_VERSION = re.compile(r"^im\.v\d+\.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there will be no socket."""

    status: HTTPStatus
    reason: Reason
    message: str
    headers: tuple[tuple[str, str], ...] = ()


def judge_handshake(
    head: Head, *, path: str, subprotocols: Sequence[str], allowed_origins: Collection[str]
) -> str | Refusal:
    """The subprotocol to speak, or why not."""
    if head.path != path:
        return Refusal(HTTPStatus.NOT_FOUND, error_table.NOT_FOUND, f"the socket is at {path}")
    if head.method != "GET" or head.version != "HTTP/1.1":
        return Refusal(HTTPStatus.BAD_REQUEST, error_table.FIELD_INVALID, "a handshake is a GET in HTTP/1.1")
    if head.headers.get("sec-websocket-version") != WEBSOCKET_VERSION:
        return Refusal(
            HTTPStatus.UPGRADE_REQUIRED,
            error_table.VERSION_UNSUPPORTED,
            "WebSocket version 13 is needed",
            (("Sec-WebSocket-Version", WEBSOCKET_VERSION),),
        )
    if not _is_key(head.headers.get("sec-websocket-key", "")):
        return Refusal(HTTPStatus.BAD_REQUEST, error_table.FIELD_INVALID, "Sec-WebSocket-Key is malformed")
    if not origin_allowed(head.headers.get("origin", ""), host=head.headers.get("host", ""), allowed=allowed_origins):
        return Refusal(HTTPStatus.FORBIDDEN, error_table.PERMISSION_DENIED, "this origin may not connect")
    return _subprotocol(head.tokens("sec-websocket-protocol"), subprotocols)


def _subprotocol(offered: Sequence[str], served: Sequence[str]) -> str | Refusal:
    if not served:
        return ""
    for name in offered:
        if name in served:
            return name
    names = ", ".join(served)
    if any(_OTHER_VERSION.match(name) for name in offered):
        return Refusal(
            HTTPStatus.UPGRADE_REQUIRED,
            error_table.VERSION_UNSUPPORTED,
            f"this server speaks {names}",
            (("Upgrade", "websocket"),),
        )
    return Refusal(
        HTTPStatus.BAD_REQUEST, error_table.FIELD_INVALID, f"Sec-WebSocket-Protocol must name one of {names}"
    )


def _is_key(key: str) -> bool:
    try:
        return len(b64decode(key.encode("ascii"), validate=True)) == 16
    except (ValueError, binascii.Error):
        return False
