"""The ids that clients make: UUIDv7 in text form.

Its 48 bits of time are what makes an id too old to be looked up (a purge may have taken its row by then).
"""

from typing import Final

from im_infra import error_table
from im_infra.errors import ImError

MAX_AGE_MS: Final = 14 * 24 * 3600 * 1000
"""Rows stay 30 days; half of that leaves room for clocks and for queues that slept."""

_TEXT_LENGTH: Final = 36


def parse(text: str, field: str) -> bytes:
    """The 16 bytes of a UUIDv7 in its text form.

    Raises:
        ImError: FIELD_INVALID naming `field`.
    """
    if len(text) == _TEXT_LENGTH and text[8] == text[13] == text[18] == text[23] == "-":
        try:
            value = bytes.fromhex(text.replace("-", ""))
        except ValueError:
            value = b""
        if len(value) == 16 and value[6] >> 4 == 7 and value[8] >> 6 == 2:
            return value
    raise ImError(error_table.FIELD_INVALID, f"{field}: a UUIDv7 in text form")


def to_text(value: bytes) -> str:
    """The text form of 16 bytes, lower case."""
    digits = value.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def check_age(value: bytes, now_ms: int, *, max_age_ms: int = MAX_AGE_MS) -> None:
    """Refuse an id that was made too long ago.

    Raises:
        ImError: TOO_OLD.
    """
    if int.from_bytes(value[:6], "big") < now_ms - max_age_ms:
        raise ImError(error_table.TOO_OLD)
