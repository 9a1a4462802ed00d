"""Error numbers of MySQL and MariaDB: what a caller can do about each."""

from typing import Any

import pytest
from asyncmy import errors
from sqlalchemy.exc import OperationalError
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
from im_infra.sql.mysql_errors import is_deadlock, number_of, translate


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1213, StoreBusyError),
        (1205, StoreBusyError),
        (1969, StoreBusyError),
        (3159, StoreUnavailableError),
        (1021, StoreFullError),
        (1114, StoreFullError),
        *[(number, DataRejectedError) for number in (1062, 1153, 1264, 1366, 1406, 3819, 4025)],
        *[(number, StoreUnavailableError) for number in (1290, 1792, 1836, 1040, 1045, 1049, 1053, 1927, 2003, 2006, 2013)],
    ],
)  # fmt: skip
def test_each_number_has_its_class(number: int, expected: type[ImError]) -> None:
    """As the driver raises it, and as SQLAlchemy wraps it."""
    error = errors.OperationalError(number, "told by the server")
    for raised in (error, OperationalError("SELECT 1", None, error)):
        translated = translate(raised)
        assert type(translated) is expected
        assert str(number) in translated.message


@pytest.mark.parametrize("number", [1064, 1146, 1054, 4321])
def test_an_unknown_number_is_our_bug(number: int) -> None:
    translated = translate(errors.ProgrammingError(number, "what is this"))
    assert translated is not None
    assert translated.reason is error_table.INTERNAL


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.OperationalError(2013, "lost"), OutcomeUnknownError),
        (errors.OperationalError(1180, "error during COMMIT"), OutcomeUnknownError),
        (errors.OperationalError(1026, "error writing the binlog"), OutcomeUnknownError),
        (errors.OperationalError(1317, "interrupted"), OutcomeUnknownError),
        (errors.InternalError("packet sequence number wrong"), OutcomeUnknownError),
        (ConnectionResetError(), OutcomeUnknownError),
        (errors.OperationalError(1213, "deadlock"), StoreBusyError),
        (errors.OperationalError(1290, "read-only"), StoreUnavailableError),
        (errors.OperationalError(1114, "full"), StoreFullError),
    ],
)
def test_at_commit_only_a_refusal_is_certain(error: Exception, expected: type[ImError]) -> None:
    assert type(translate(error, committing=True)) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.InterfaceError(0, "Not connected"), StoreUnavailableError),
        (errors.InternalError("packet sequence number wrong"), StoreUnavailableError),
        (ConnectionRefusedError(), StoreUnavailableError),
        (TimeoutError(), StoreUnavailableError),
        (PoolTimeoutError(), StoreBusyError),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), DataRejectedError),
    ],
)
def test_the_driver_s_own_failures_have_theirs(error: Exception, expected: type[ImError]) -> None:
    assert type(translate(error)) is expected


@pytest.mark.parametrize("error", [ZeroDivisionError(), ValueError("not ours")])
def test_a_bug_is_none_of_the_database_s(error: Exception) -> None:
    assert translate(error) is None


def test_an_error_of_ours_stays_itself() -> None:
    error = ImError(error_table.CONFLICT)
    assert translate(error, committing=True) is error


@pytest.mark.parametrize(
    ("error", "deadlock"),
    [
        (errors.OperationalError(1213, ""), True),
        (OperationalError("", None, errors.OperationalError(1213, "")), True),
        (errors.OperationalError(1205, ""), False),
        (ValueError(1213), False),
    ],
)
def test_a_deadlock_is_told_from_a_lock_that_stayed(error: Exception, deadlock: bool) -> None:
    """After the one the whole unit runs again, after the other it has waited long enough."""
    assert is_deadlock(error) is deadlock


@pytest.mark.parametrize(
    ("error", "number"), [(errors.MySQLError(), 0), (errors.MySQLError("text"), 0), (None, 0), (errors.Error(7), 7)]
)
def test_an_error_may_have_no_number(error: Any, number: int) -> None:
    assert number_of(error) == number
