"""What a Hello must be, and how a failed one ends: rules only."""

from typing import Final

from im_infra import error_table
from im_infra.error_kind import Kind
from im_infra.error_table import CloseCode, Reason
from im_infra.errors import ImError

MAX_NAME_CHARACTERS: Final = 64

_CLOSE_CODES: Final = {
    error_table.KICKED: CloseCode.KICKED,
    error_table.SESSION_REVOKED: CloseCode.SESSION_REVOKED,
    error_table.TOKEN_EXPIRED: CloseCode.TOKEN_STALE,
    error_table.VERSION_UNSUPPORTED: CloseCode.VERSION_UNSUPPORTED,
}
_CLOSE_CODES_BY_KIND: Final = {
    Kind.INVALID: CloseCode.PROTOCOL_ERROR,
    Kind.DENIED: CloseCode.AUTHENTICATION_FAILED,
    Kind.NOT_FOUND: CloseCode.AUTHENTICATION_FAILED,
    Kind.CONFLICT: CloseCode.AUTHENTICATION_FAILED,
    Kind.UNAVAILABLE: CloseCode.BACKEND_LOST,
}


def check_hello(*, credential: str | None, instance_id: str, client_version: str, device_id: str) -> None:
    """Refuse a Hello that cannot be answered.

    Raises:
        ImError: UNAUTHENTICATED, or FIELD_INVALID naming the field.
    """
    if credential is None:
        raise ImError(error_table.UNAUTHENTICATED, "Hello needs a credential")
    if len(instance_id) > MAX_NAME_CHARACTERS:
        raise ImError(error_table.FIELD_INVALID, f"instance_id has at most {MAX_NAME_CHARACTERS} characters")
    if len(client_version) > MAX_NAME_CHARACTERS:
        raise ImError(error_table.FIELD_INVALID, f"client_version has at most {MAX_NAME_CHARACTERS} characters")
    if len(device_id) > MAX_NAME_CHARACTERS:
        raise ImError(error_table.FIELD_INVALID, f"device_id has at most {MAX_NAME_CHARACTERS} characters")


def close_code(reason: Reason) -> CloseCode:
    """How the socket of a Hello that failed for `reason` is closed."""
    return _CLOSE_CODES.get(reason) or _CLOSE_CODES_BY_KIND.get(reason.kind, CloseCode.RECONNECT)
