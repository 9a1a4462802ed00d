"""Pages of a conversation's history, newest first: rules only.

A page is a pull backwards; its token names the last seq of the next one.
"""

import base64
import binascii
from typing import Any

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.v1.message_pb2 import PullRequest, PullResponse

_PREFIX = b"h1:"


def take_page_token(request: PullRequest, token: str) -> None:
    """Make `request` read the page that a token names.

    Raises:
        ImError: PAGE_TOKEN_INVALID.
    """
    if not token:
        return
    try:
        decoded = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (ValueError, binascii.Error) as error:
        raise ImError(error_table.PAGE_TOKEN_INVALID) from error
    digits = decoded.removeprefix(_PREFIX)
    if not decoded.startswith(_PREFIX) or not digits.isdigit() or len(digits) > 18:
        raise ImError(error_table.PAGE_TOKEN_INVALID)
    request.from_seq = 0
    request.to_seq = int(digits)


def next_page_token(request: PullRequest, response: PullResponse) -> str:
    """The token of the page after this one; empty: it was the last, or the request asked for a range of its own."""
    if request.from_seq or not response.more or not response.messages:
        return ""
    before = response.messages[0].seq - 1
    if before <= 0:
        return ""
    return base64.urlsafe_b64encode(_PREFIX + str(before).encode()).rstrip(b"=").decode()


def with_next_page_token(value: dict[str, Any], token: str) -> dict[str, Any]:
    """A response's JSON with the token of the next page."""
    return {**value, "next_page_token": token}
