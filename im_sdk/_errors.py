"""What the SDK raises.

    ImError                      a failure with a number and a name; `message` is for people
    ├── InvalidError             the request is wrong
    ├── DeniedError              not allowed, or not logged in
    ├── NotFoundError            no such thing, or not for you
    ├── ConflictError            the state forbids it (`stored`: the ack of what lies under this id)
    ├── ExhaustedError           a limit: wait `retry_after_ms`
    │   └── OutboxFullError      too many messages wait in this client
    ├── UnavailableError         the server cannot now; the outcome may be unknown
    │   └── UnreachableError     no connection to the server at all
    ├── InternalError            a bug, the server's or ours
    └── ClosedError              this client is closed, kicked or logged out

The server's numbers are those of `ErrorNumber`; what the SDK itself finds has number 0, except where the table has the
same meaning (DEADLINE_EXCEEDED).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from im_sdk._error_table import KINDS, RETRYABLE, ErrorNumber

if TYPE_CHECKING:
    from im_sdk._models import SentMessage


class ImError(Exception):
    """A failure with a stable number and name.

    Args:
        number: a value of `ErrorNumber`, one a newer server made up, or 0 for what the SDK itself found.
        name: UPPER_SNAKE, stable.
        message: for people; never parse it.
        retryable: the same request, with the same ids, may be sent again. The client has done so already, until its
            deadline.
        retry_after_ms: milliseconds to wait before that; 0 gives no advice.
    """

    def __init__(
        self, number: int, name: str, message: str, *, retryable: bool = False, retry_after_ms: int = 0
    ) -> None:
        super().__init__(message)
        self.number = number
        self.name = name
        self.message = message
        self.retryable = retryable
        self.retry_after_ms = retry_after_ms

    @classmethod
    def of(cls, number: ErrorNumber, message: str, *, retry_after_ms: int = 0) -> Self:
        """The error of a row of the table, found by the SDK."""
        return cls(number, number.name, message, retryable=number in RETRYABLE, retry_after_ms=retry_after_ms)

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.number}, {self.name!r}, {self.message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.__dict__)


def _rebuild(cls: type[ImError], state: dict[str, Any]) -> ImError:
    """An error that crossed a process border."""
    made = cls(state["number"], state["name"], state["message"])
    made.__dict__.update(state)
    return made


class InvalidError(ImError):
    """The request is wrong."""


class DeniedError(ImError):
    """Not allowed, or not logged in."""


class NotFoundError(ImError):
    """No such thing, or not for this account."""


class ConflictError(ImError):
    """The state forbids it."""

    stored: "SentMessage | None" = None
    """On a send: the ack of what was stored under the same id."""


class ExhaustedError(ImError):
    """A limit is reached; wait."""


class OutboxFullError(ExhaustedError):
    """As many messages as the settings allow wait in this client; nothing was queued."""

    @classmethod
    def at(cls, limit: int) -> Self:
        """The outbox holds `limit` messages."""
        return cls(0, "OUTBOX_FULL", f"{limit} messages wait already", retryable=True)


class UnavailableError(ImError):
    """The server cannot answer now; the outcome may be unknown."""


class UnreachableError(UnavailableError):
    """No connection to the server."""

    @classmethod
    def because(cls, reason: object) -> Self:
        """The connection failed because of `reason`."""
        return cls(0, "UNREACHABLE", str(reason), retryable=True)


class InternalError(ImError):
    """A bug, the server's or ours."""


class ClosedError(ImError):
    """The client is closed: by its owner (number 0), or by the server, whose reason `number` and `name` give."""

    @classmethod
    def by_owner(cls) -> Self:
        """`close()` was called."""
        return cls(0, "CLOSED", "the client is closed")

    @classmethod
    def by(cls, error: ImError) -> Self:
        """The session ended with `error`."""
        return cls(error.number, error.name, error.message)


_CLASSES: Final[Mapping[str, type[ImError]]] = {
    "INVALID": InvalidError,
    "DENIED": DeniedError,
    "NOT_FOUND": NotFoundError,
    "CONFLICT": ConflictError,
    "EXHAUSTED": ExhaustedError,
    "UNAVAILABLE": UnavailableError,
    "INTERNAL": InternalError,
}


def from_wire(number: int, name: str, message: str, *, retryable: bool, retry_after_ms: int) -> ImError:
    """The error a server told; the class of an unknown number goes by whether it is retryable."""
    try:
        kind = KINDS[ErrorNumber(number)]
    except ValueError:
        kind = "UNAVAILABLE" if retryable else "INTERNAL"
    return _CLASSES[kind](number, name, message, retryable=retryable, retry_after_ms=retry_after_ms)


def from_table(number: ErrorNumber, message: str) -> ImError:
    """The error of a row of the table, as if the server had told it."""
    return _CLASSES[KINDS[number]].of(number, message)
