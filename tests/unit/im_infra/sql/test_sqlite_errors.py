"""Result codes, by what the caller can do."""

import sqlite3
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.errors import (
    DataRejectedError,
    OutcomeUnknownError,
    StoreBusyError,
    StoreFullError,
    StoreUnavailableError,
)
from im_infra.sql.sqlite_errors import is_broken, translate


def error_of(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("text")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "NAME"
    return error


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusyError),
        (sqlite3.SQLITE_BUSY | 2 << 8, StoreBusyError),
        (sqlite3.SQLITE_LOCKED, StoreBusyError),
        (sqlite3.SQLITE_FULL, StoreFullError),
        (sqlite3.SQLITE_CONSTRAINT | 8 << 8, DataRejectedError),
        (sqlite3.SQLITE_TOOBIG, DataRejectedError),
        (sqlite3.SQLITE_MISMATCH, DataRejectedError),
        (sqlite3.SQLITE_IOERR, StoreUnavailableError),
        (sqlite3.SQLITE_CORRUPT, StoreUnavailableError),
        (sqlite3.SQLITE_NOTADB, StoreUnavailableError),
        (sqlite3.SQLITE_READONLY, StoreUnavailableError),
        (sqlite3.SQLITE_CANTOPEN, StoreUnavailableError),
    ],
)
def test_codes_before_commit(code: Any, expected: Any) -> None:
    assert type(translate(error_of(code))) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_IOERR, OutcomeUnknownError),
        (sqlite3.SQLITE_FULL, StoreFullError),
        (sqlite3.SQLITE_BUSY, StoreBusyError),
    ],
)
def test_only_a_broken_disk_leaves_a_commit_open(code: Any, expected: Any) -> None:
    assert type(translate(error_of(code), committing=True)) is expected


def test_what_sqlalchemy_wraps_is_looked_into() -> None:
    wrapped = OperationalError("SELECT 1", {}, error_of(sqlite3.SQLITE_FULL))
    assert type(translate(wrapped)) is StoreFullError


def test_the_name_of_the_code_is_told() -> None:
    assert translate(error_of(sqlite3.SQLITE_FULL)).message == "NAME: text"


@pytest.mark.parametrize(
    "error", [OverflowError(), UnicodeEncodeError("utf-8", "x", 0, 1, "surrogate"), sqlite3.InterfaceError("type")]
)
def test_values_the_driver_cannot_bind_are_refused_data(error: Any) -> None:
    assert type(translate(error)) is DataRejectedError


def test_our_own_wrong_sql_is_internal() -> None:
    assert translate(error_of(sqlite3.SQLITE_ERROR)).reason is error_table.INTERNAL


def test_errors_of_units_pass() -> None:
    refusal = ImError(error_table.CONFLICT)
    assert translate(refusal) is refusal
    assert translate(KeyError()) is None


def test_a_connection_is_given_up_after_disk_errors_only() -> None:
    assert is_broken(StoreUnavailableError())
    assert is_broken(OutcomeUnknownError())
    assert not is_broken(StoreFullError())
    assert not is_broken(StoreBusyError())
