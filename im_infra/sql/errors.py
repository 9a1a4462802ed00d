"""How a database fails, by what the caller can do.

ImError
├── StoreBusyError          nothing committed; again later
├── StoreFullError          nothing committed; again when there is room
├── StoreUnavailableError   nothing committed; again when it is back
├── StaleError              nothing committed; look anew, then again
├── OutcomeUnknownError     look before you do it again
└── DataRejectedError       the data is at fault: bisect, do not repeat
"""

from im_infra import error_table
from im_infra.errors import ImError


class StoreBusyError(ImError):
    """The database stayed locked; nothing was committed."""

    def __init__(self, message: str = "") -> None:
        super().__init__(error_table.STORAGE_BUSY, message, retry_after_ms=200)


class StoreFullError(ImError):
    """The disk is full; nothing was committed."""

    def __init__(self, message: str = "") -> None:
        super().__init__(error_table.STORAGE_FULL, message, retry_after_ms=5_000)


class StoreUnavailableError(ImError):
    """There is no usable connection; nothing was committed."""

    def __init__(self, message: str = "") -> None:
        super().__init__(error_table.UNAVAILABLE, message, retry_after_ms=1_000)


class StaleError(ImError):
    """What a transaction took for granted holds no longer; nothing was committed."""

    def __init__(self, message: str = "") -> None:
        super().__init__(error_table.STORAGE_BUSY, message)


class OutcomeUnknownError(ImError):
    """The connection broke while committing: the transaction may or may not be there."""

    def __init__(self, message: str = "") -> None:
        super().__init__(error_table.UNAVAILABLE, message, retry_after_ms=500)


class DataRejectedError(ImError):
    """The database refused the data itself: a constraint, a range, an encoding."""

    def __init__(self, message: str = "") -> None:
        super().__init__(error_table.INTERNAL, message)
