"""What the error numbers of MySQL and MariaDB mean for the caller: one place that knows them."""

import ssl
from typing import Final

from asyncmy import errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.errors import (
    DataRejectedError,
    OutcomeUnknownError,
    StoreBusyError,
    StoreFullError,
    StoreUnavailableError,
)

_DEADLOCK: Final = frozenset({1213, 1020})
"""1020 is MariaDB's word for a row that changed under a snapshot."""
_BUSY: Final = frozenset({1205, 1969, 3024})
"""A lock that stayed, or a statement beyond the time that the server gives it."""
_FULL: Final = frozenset({1021, 1114})
_DATA: Final = frozenset({1062, 1153, 1264, 1366, 1406, 3819, 4025})
"""A batch is halved for these, so nothing belongs here that another half would meet again. 1153: too large a packet."""
_READ_ONLY: Final = frozenset({1290, 1792, 1836})
_UNREACHABLE: Final = frozenset(
    {
        # no connection, or no longer
        1053, 1077, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2002, 2003, 2005, 2006, 2013, 2014, 2026, 2055, 3169, 4031,
        # it does not let us in, or not now
        1040, 1043, 1044, 1045, 1049, 1129, 1130, 1142, 1203, 1226, 1251, 1698, 2059, 2061, 3159,
        # it cannot do it now
        1030, 1037, 1041, 1135, 1317,
    }
)  # fmt: skip
_STALE: Final = frozenset({1062, 1690})
"""What a transaction at once fails with where things are not as it was told: see `at_once`."""
_NOTHING_COMMITTED: Final = _DEADLOCK | _BUSY | _FULL | _READ_ONLY
"""Told by COMMIT itself, these leave nothing behind; whatever else it says leaves the outcome open."""


def translate(error: Exception, *, committing: bool = False) -> ImError | None:
    """The error of the family that `error` is, or None where it is no failure of the database.

    Args:
        error: what connecting, a unit or COMMIT raised.
        committing: COMMIT was on its way to the server. Unless the server itself says that it refused it, it may have
            happened.
    """
    if isinstance(error, ImError):
        return error
    if isinstance(error, PoolTimeoutError):
        return StoreBusyError("no connection to the database became free in time")
    if isinstance(error, UnicodeError):  # raised by the driver while it binds values
        return DataRejectedError(str(error))
    driver_error = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(driver_error, errors.MySQLError):
        return _of_number(number_of(driver_error), f"MySQL {_text(driver_error)}", committing=committing)
    if isinstance(driver_error, OSError | EOFError | ssl.SSLError):
        text = f"{type(driver_error).__name__}: {driver_error}"
        return OutcomeUnknownError(text) if committing else StoreUnavailableError(text)
    return None


def is_deadlock(error: Exception) -> bool:
    """Whether the server gave the transaction up for another one's sake: the same unit may pass now."""
    return number_of(error.orig if isinstance(error, DBAPIError) else error) in _DEADLOCK


def is_stale(error: errors.MySQLError) -> bool:
    """Whether a statement of a transaction at once found what it rests on changed."""
    return number_of(error) in _STALE


def number_of(error: object) -> int:
    """The server's or driver's error number; 0: there is none."""
    arguments = error.args if isinstance(error, errors.MySQLError) else ()
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def _text(error: errors.MySQLError) -> str:
    return ": ".join(str(part) for part in error.args)


def _of_number(number: int, text: str, *, committing: bool) -> ImError:
    if committing and number not in _NOTHING_COMMITTED:
        return OutcomeUnknownError(text)
    if number in _DEADLOCK or number in _BUSY:
        return StoreBusyError(text)
    if number in _FULL:
        return StoreFullError(text)
    if number in _DATA:
        return DataRejectedError(text)
    if number in _READ_ONLY or number in _UNREACHABLE or not number:  # without a number: the driver lost its place
        return StoreUnavailableError(text)
    return ImError(error_table.INTERNAL, text)
