"""What an account's fields may be, and who may make one. Pure: a refusal is an `ImError` that names the field."""

import re
import unicodedata
from typing import Final, Literal
from uuid import UUID

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.ids.uuid7 import uuid7_time_ms
from im_logic.accounts.model import DeviceClass, Installation

Registration = Literal["open", "invite", "closed"]

OPERATION_MAX_AGE_MS: Final = 14 * 24 * 3_600_000
"""Operations are remembered for so long; an older id could happen twice."""

_HANDLE: Final = re.compile(r"[A-Za-z0-9_]{3,32}")
_DEVICE_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_MAX_NAME: Final = 64
_MIN_PASSWORD: Final = 8
_MAX_PASSWORD: Final = 256
# Controls, separators of lines, surrogates; and what turns the direction of the text around it.
_UNPRINTABLE_CATEGORIES: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})
_DIRECTION_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_handle(text: str) -> str:
    """The handle as it is stored.

    ASCII is asked for before lowering: some letters beyond it become ASCII by lowering (the Kelvin sign).

    Raises:
        ImError: FIELD_INVALID.
    """
    if _HANDLE.fullmatch(text) is None:
        raise ImError(error_table.FIELD_INVALID, "handle: 3 to 32 of a-z, 0-9 and _")
    return text.lower()


def looked_up_handle(text: str) -> str | None:
    """The stored form of a handle that somebody logs in with; None where no account can have it."""
    text = text.removeprefix("@")
    return text.lower() if _HANDLE.fullmatch(text) else None


def prepared_password(text: str) -> str:
    """The password as it is hashed: one form of what looks the same, however a keyboard composed it (RFC 8265)."""
    return unicodedata.normalize("NFC", text)


def checked_password(text: str) -> str:
    """A new password as it is hashed.

    Raises:
        ImError: PASSWORD_WEAK.
    """
    password = prepared_password(text)
    if not _MIN_PASSWORD <= len(password) <= _MAX_PASSWORD:
        raise ImError(error_table.PASSWORD_WEAK)
    return password


def could_be_password(text: str) -> bool:
    """Whether an account can have this password: longer ones are not worth a hash of many megabytes."""
    return len(prepared_password(text)) <= _MAX_PASSWORD


def checked_display_name(text: str) -> str:
    """A display name without blanks around it; empty stays empty, for the caller's default.

    Raises:
        ImError: FIELD_INVALID.
    """
    return _checked_name("display_name", text)


def checked_installation(device_id: str, device_class: int, device_name: str) -> Installation:
    """Where a client runs.

    Raises:
        ImError: FIELD_INVALID.
    """
    if _DEVICE_ID.fullmatch(device_id) is None:
        raise ImError(error_table.FIELD_INVALID, "installation.device_id: 8 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'")
    return Installation(
        device_id=device_id,
        device_class=DeviceClass.known(device_class),
        device_name=_checked_name("installation.device_name", device_name),
    )


def checked_operation_id(text: str, *, now_ms: int) -> bytes:
    """The 16 bytes of an operation's id; empty: it is not remembered.

    Raises:
        ImError: FIELD_INVALID, or TOO_OLD when it was made before what is remembered.
    """
    if not text:
        return b""
    try:
        operation_id = UUID(text)
    except ValueError:
        raise ImError(error_table.FIELD_INVALID, "operation_id: not a UUID") from None
    if operation_id.version == 7 and uuid7_time_ms(operation_id) < now_ms - OPERATION_MAX_AGE_MS:
        raise ImError(error_table.TOO_OLD)
    return operation_id.bytes


def spent_invite(mode: Registration, invite_code: str) -> str:
    """The invite that a registration spends; empty where none is needed.

    Raises:
        ImError: REGISTRATION_CLOSED, or INVITE_INVALID when one is needed and there is none.
    """
    if mode == "closed":
        raise ImError(error_table.REGISTRATION_CLOSED)
    if mode == "open":
        return ""
    code = invite_code.strip()
    if not code or len(code) > _MAX_NAME or not code.isascii():
        raise ImError(error_table.INVITE_INVALID)
    return code


def _checked_name(field: str, text: str) -> str:
    name = text.strip()
    if len(name) > _MAX_NAME:
        raise ImError(error_table.FIELD_INVALID, f"{field}: at most {_MAX_NAME} characters")
    if any(unicodedata.category(c) in _UNPRINTABLE_CATEGORIES or c in _DIRECTION_OVERRIDES for c in name):
        raise ImError(error_table.FIELD_INVALID, f"{field}: control characters")
    return name
