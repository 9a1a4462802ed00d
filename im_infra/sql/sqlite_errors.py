"""What SQLite's result codes mean for the caller: one place that knows them."""

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.errors import (
    DataRejectedError,
    OutcomeUnknownError,
    StoreBusyError,
    StoreFullError,
    StoreUnavailableError,
)

_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT})
_DATA: Final = frozenset(
    {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE}
)
_BROKEN: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOMEM,
    }
)
_PRIMARY_CODE: Final = 0xFF
"""The low byte of an extended result code is the primary one."""


def translate(error: Exception, *, committing: bool = False) -> ImError | None:
    """The error of the family that `error` is, or None where it is no failure of the database.

    Args:
        error: what a unit, BEGIN or COMMIT raised.
        committing: it was raised by COMMIT. A broken disk then leaves it open whether the transaction is there: its
            last frame may already lie in the write-ahead log. A full disk or a lock never does.
    """
    if isinstance(error, ImError):
        return error
    if isinstance(error, OverflowError | UnicodeError):  # raised by the driver while it binds values
        return DataRejectedError(str(error))
    driver_error = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(driver_error, sqlite3.Error):
        return None
    return _of_code(driver_error, committing=committing)


def is_broken(error: ImError) -> bool:
    """Whether the connection that raised it must be closed and opened again."""
    return isinstance(error, StoreUnavailableError | OutcomeUnknownError)


def _of_code(error: sqlite3.Error, *, committing: bool) -> ImError:
    code = getattr(error, "sqlite_errorcode", None)  # absent on errors that the Python driver itself raises
    primary = code & _PRIMARY_CODE if code is not None else None
    text = f"{getattr(error, 'sqlite_errorname', 'SQLite')}: {error}"
    if primary in _BUSY:
        return StoreBusyError(text)
    if primary == sqlite3.SQLITE_FULL:
        return StoreFullError(text)
    if primary in _DATA or (primary is None and isinstance(error, sqlite3.InterfaceError | sqlite3.DataError)):
        return DataRejectedError(text)
    if primary in _BROKEN:
        return OutcomeUnknownError(text) if committing else StoreUnavailableError(text)
    return ImError(error_table.INTERNAL, text)
