"""What is committed reaches the database file beside the writer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from im_infra.sql import sqlite_checkpointer
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import SqliteDatabase, open_sqlite
from im_infra.sql.sqlite_checkpointer import UNITS, SqliteCheckpointer
from tests.harness.workload import until


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    async with open_sqlite(tmp_path / "im.db", SqliteSettings()) as database:
        yield database


def put(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS thing (body BLOB)")
    connection.exec_driver_sql("INSERT INTO thing VALUES (zeroblob(9000))")


async def test_pages_leave_the_log_while_units_are_committed(database: SqliteDatabase) -> None:
    """The file grows, though no commit has come to the number of pages at which it would move them itself.

    And where the writer rests now and then, the log begins anew instead of growing.
    """
    log = database.path.with_name("im.db-wal")
    sizes = []
    for written in range(1, 11):
        for _ in range(UNITS):
            await database.write(put)
        await until(lambda: database.path.stat().st_size > written * UNITS * 9_000, 10)  # noqa: B023 - awaited at once
        await until(lambda: not database.checkpointer.working, 10)
        sizes.append(log.stat().st_size)
    assert max(sizes) < 3 * sizes[0]


async def test_commits_bound_the_log_where_nobody_empties_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_checkpointer, "UNITS", 1_000_000)
    async with open_sqlite(tmp_path / "im.db", SqliteSettings(checkpoint_pages=100)) as database:
        for _ in range(200):
            await database.write(put)
        assert (tmp_path / "im.db-wal").stat().st_size < 150 * 4_200
        assert database.path.stat().st_size > 100 * 9_000


async def test_a_unit_is_committed_where_no_thread_is_to_be_had(database: SqliteDatabase) -> None:
    database.checkpointer.shut_down()
    with capture_logs() as logs:
        for _ in range(3 * UNITS):
            await database.write(put)
    assert [line["event"] for line in logs] == ["checkpoint failed; commits do it themselves until it succeeds"]
    rows = await database.read(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM thing").scalar_one())
    assert rows == 3 * UNITS


async def test_a_failure_is_told_once_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "im.db"
    path.write_bytes(b"this is no database, it is a text " * 200)
    checkpointer = SqliteCheckpointer(path)

    async def a_round() -> None:
        for _ in range(UNITS):
            checkpointer.committed()
        await until(lambda: not checkpointer.working, 10)

    with capture_logs() as logs:
        for _ in range(3):
            await a_round()
        failures = len(logs)
        path.unlink()
        await a_round()  # makes an empty database
        path.write_bytes(b"this is no database, it is a text " * 200)
        checkpointer.close()
        await a_round()
    checkpointer.shut_down()
    checkpointer.close()
    assert failures == 1
    assert [line["event"] for line in logs] == ["checkpoint failed; commits do it themselves until it succeeds"] * 2
