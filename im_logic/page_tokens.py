"""Page tokens: opaque to clients, checked when they come back.

A token is bound to who got it and for what, so that one from elsewhere is refused and not misread. It grants nothing:
every page is clamped to what its reader may see, so the check is against accidents, not against forgers.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from im_infra import error_table
from im_infra.errors import ImError

_CHECK_BYTES: Final = 6
_MAX_CHARACTERS: Final = 1_024


def encode(purpose: str, user_id: int, values: Sequence[str]) -> str:
    """A token that carries `values` from one page to the next."""
    text = "\x1f".join(values).encode()
    return urlsafe_b64encode(_check(purpose, user_id, text) + text).decode().rstrip("=")


def decode(purpose: str, user_id: int, token: str, *, count: int) -> list[str]:
    """The values of a token that `encode` made for the same purpose and user.

    Raises:
        ImError: PAGE_TOKEN_INVALID.
    """
    if len(token) <= _MAX_CHARACTERS:
        try:
            raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            text = raw[_CHECK_BYTES:]
            values = text.decode().split("\x1f")
        except (ValueError, binascii.Error):
            raise ImError(error_table.PAGE_TOKEN_INVALID) from None
        if raw[:_CHECK_BYTES] == _check(purpose, user_id, text) and len(values) == count:
            return values
    raise ImError(error_table.PAGE_TOKEN_INVALID)


def _check(purpose: str, user_id: int, text: bytes) -> bytes:
    return blake2b(text, digest_size=_CHECK_BYTES, key=f"{purpose} {user_id}".encode()).digest()


def page_size(asked: int, *, default: int, most: int) -> int:
    """The size of a page.

    Raises:
        ImError: FIELD_INVALID: out of its range.
    """
    if not 0 <= asked <= most:
        raise ImError(error_table.FIELD_INVALID, f"page_size: 1 to {most}, or 0")
    return asked or default
