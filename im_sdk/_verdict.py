"""What a client does after its connection ended: one table, no state."""

from enum import Enum, auto
from typing import Final

from im_sdk._error_table import CloseCode, ErrorNumber, reconnects
from im_sdk._errors import ImError


class Verdict(Enum):
    """What comes next."""

    RETRY = auto()
    """Connect again, with backoff."""
    RETRY_AT_ONCE = auto()
    """The resume token was refused: the access token may do, no wait needed."""
    REFRESH = auto()
    """Get a new access token first."""
    END = auto()
    """Do not come back by oneself."""


_RENEWABLE: Final = frozenset({ErrorNumber.TOKEN_EXPIRED, ErrorNumber.UNAUTHENTICATED})


def after_refused_hello(error: ImError, *, resumed: bool, renewable: bool) -> Verdict:
    """The server answered Hello with an error.

    Args:
        error: it.
        resumed: the hello carried a resume token.
        renewable: there is a refresh token, and it was not tried since the last good hello.
    """
    if error.retryable:
        return Verdict.RETRY
    if resumed and error.number in {ErrorNumber.RESUME_INVALID, *_RENEWABLE}:
        return Verdict.RETRY_AT_ONCE
    if error.number in _RENEWABLE and renewable:
        return Verdict.REFRESH
    return Verdict.END


def after_close(code: int, *, renewable: bool) -> Verdict:
    """The socket was closed, by the server or by the network (1006)."""
    if code == CloseCode.TOKEN_STALE:
        return Verdict.REFRESH if renewable else Verdict.END
    return Verdict.RETRY if comes_back(code) else Verdict.END


def comes_back(code: int) -> bool:
    """Whether this client connects again after a close code.

    Beside what the table says, after REPLACED: an instance id is random per client, so only an older attempt of this
    very client, overtaken on its way to the server, can have taken its place, and that one is dead.
    """
    return reconnects(code) or code == CloseCode.REPLACED


_MEANINGS: Final = {
    CloseCode.TOKEN_STALE: ErrorNumber.TOKEN_EXPIRED,
    CloseCode.PROTOCOL_ERROR: ErrorNumber.FRAME_INVALID,
    CloseCode.AUTHENTICATION_FAILED: ErrorNumber.UNAUTHENTICATED,
    CloseCode.KICKED: ErrorNumber.KICKED,
    CloseCode.SESSION_REVOKED: ErrorNumber.SESSION_REVOKED,
    CloseCode.VERSION_UNSUPPORTED: ErrorNumber.VERSION_UNSUPPORTED,
    CloseCode.TOO_LARGE: ErrorNumber.FRAME_TOO_LARGE,
}


def meaning(code: int) -> tuple[int, str]:
    """The number and name of the error that a final close code stands for."""
    try:
        known = CloseCode(code)
    except ValueError:
        return 0, f"CLOSED_{code}"
    number = _MEANINGS.get(known)
    return (number, number.name) if number is not None else (0, known.name)
