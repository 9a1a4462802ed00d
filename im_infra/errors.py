"""The errors that cross our boundaries.

    ImError                 a reason of the error table; what clients and peers are told
    └── NotStartedError     a peer did not start the request: it may go elsewhere at once

Adapters translate driver errors into these at once; no `sqlalchemy`, `grpc` or `aiokafka` exception crosses a port.
"""

from im_infra import error_table
from im_infra.error_kind import Kind
from im_infra.error_table import Reason


class ImError(Exception):
    """A failure with a stable number and name.

    Args:
        reason: the row of the error table.
        message: for people; defaults to the table's meaning.
        retry_after_ms: milliseconds to wait before trying again; 0 gives no advice.
        detail: a serialised message that belongs to the error (the stored ack of a CONFLICT), or empty.
    """

    def __init__(self, reason: Reason, message: str = "", *, retry_after_ms: int = 0, detail: bytes = b"") -> None:
        super().__init__(message or reason.meaning)
        self.reason = reason
        self.message = message or reason.meaning
        self.retry_after_ms = retry_after_ms
        self.detail = detail

    @property
    def kind(self) -> Kind:
        """What can be done about it."""
        return self.reason.kind

    @property
    def retryable(self) -> bool:
        """Whether the same request, with the same ids, may be sent again."""
        return self.reason.retryable

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason.name}, {self.message!r})"


class NotStartedError(ImError):
    """The peer did not start the request; idempotent or not, it may go elsewhere at once."""

    def __init__(self, message: str = "") -> None:
        super().__init__(error_table.DRAINING, message)


def from_number(
    number: int, message: str, *, retry_after_ms: int = 0, detail: bytes = b"", not_started: bool = False
) -> ImError:
    """The error a peer sent; a number we do not know (a newer peer) becomes INTERNAL with its message."""
    if not_started:
        return NotStartedError(message)
    reason = error_table.BY_NUMBER.get(number, error_table.INTERNAL)
    return ImError(reason, message, retry_after_ms=retry_after_ms, detail=detail)
