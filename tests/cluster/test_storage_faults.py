"""The disk fills, the database is locked or damaged: a documented error, nothing acked that is not stored, recovery."""

import asyncio
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from im_cli.exit_code import ExitCode
from im_infra.sql.sqlite import SqliteDatabase
from tests.harness.in_process import in_process
from tests.harness.stored import from_database
from tests.harness.supervisor import Supervisor
from tests.harness.talk import talk
from tests.harness.workload import until
from tests.support.small_disk import fill, may_mount

REFUSED_S = 10.0
TMPFS = "24m"
FILLER = "filler"


@contextmanager
def opened_databases() -> Iterator[list[SqliteDatabase]]:
    """The databases that a cluster opens from here on."""
    found: list[SqliteDatabase] = []
    open_ = SqliteDatabase.open

    async def remember(database: SqliteDatabase) -> None:
        found.append(database)
        await open_(database)

    with patch.object(SqliteDatabase, "open", remember):
        yield found


def pragma(sql: str) -> Callable[[Any], object]:
    return lambda connection: connection.exec_driver_sql(sql).scalar_one()


async def test_a_full_database_refuses_by_name_and_takes_the_same_messages_when_there_is_room(tmp_path: Path) -> None:
    with opened_databases() as databases:
        async with in_process(tmp_path / "data") as cluster, talk(cluster.url, tmp_path) as two:
            pages = await databases[0].write(pragma("PRAGMA page_count"))
            await databases[0].write(pragma(f"PRAGMA max_page_count = {pages}"))
            two.sender.padding = "x" * 3_000
            two.offer(30)
            await until(lambda: two.refusals.get("STORAGE_FULL", 0) >= 1, REFUSED_S)
            await databases[0].write(pragma("PRAGMA max_page_count = 1073741823"))
            await two.verify(cluster.database)


async def test_a_lock_of_three_seconds_delays_and_refuses_nothing(tmp_path: Path) -> None:
    async with in_process(tmp_path / "data") as cluster, talk(cluster.url, tmp_path) as two:
        with locked(cluster.database):
            two.offer(10)
            await asyncio.sleep(3)  # the fault's own length
            assert two.sender.lanes[0].written
        await two.verify(cluster.database)
        assert two.refusals == {}


async def test_a_lock_that_outlasts_the_wait_is_refused_by_name_and_recovers(tmp_path: Path) -> None:
    async with (
        in_process(tmp_path / "data", {"sql.sqlite.busy_timeout_ms": 100}) as cluster,
        talk(cluster.url, tmp_path) as two,
    ):
        with locked(cluster.database):
            two.offer(10)
            await until(lambda: two.refusals.get("STORAGE_BUSY", 0) >= 2, REFUSED_S)
            assert len(from_database(cluster.database)[two.lane.conversation_id]) == 1
        await two.verify(cluster.database)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process's transaction."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.timeout(120)
async def test_a_full_disk_refuses_by_name_and_the_cluster_recovers_by_itself(tmp_path: Path) -> None:
    if not may_mount():
        pytest.skip("a size-limited disk needs root and mount namespaces")
    mount = f'mount -t tmpfs -o size={TMPFS} tmpfs "$0" && exec "$@"'
    data = tmp_path / "data"
    data.mkdir()
    cluster = Supervisor(tmp_path, prefix=("unshare", "-m", "sh", "-c", mount, str(data)))
    try:
        await cluster.start()
        disk = Path(f"/proc/{cluster.pid}/root{data}")
        async with talk(cluster.url, tmp_path) as two:
            fill(disk / FILLER)
            two.offer(35)
            await until(lambda: two.refusals.get("STORAGE_FULL", 0) >= 1, REFUSED_S)
            async with httpx.AsyncClient() as client:
                assert (await client.get(f"{cluster.internal_url}/healthz")).status_code == 200
            (disk / FILLER).unlink()
            await two.all_acked()
            os.kill(cluster.pid, signal.SIGSTOP)  # a file that nobody writes while it is copied
            for file in disk.glob("im.sqlite3*"):
                shutil.copy(file, tmp_path)
            os.kill(cluster.pid, signal.SIGCONT)
            await two.verify(tmp_path / "im.sqlite3")
    finally:
        cluster.kill()


@pytest.mark.timeout(120)
async def test_a_start_on_a_full_disk_is_refused_by_code(tmp_path: Path) -> None:
    if not may_mount():
        pytest.skip("a size-limited disk needs root and mount namespaces")
    data = tmp_path / "data"
    data.mkdir()
    mount = 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"'
    cluster = Supervisor(tmp_path, prefix=("unshare", "-m", "sh", "-c", mount, str(data)))
    with pytest.raises(RuntimeError, match="full"):
        await cluster.start()
    assert cluster.exit_code == ExitCode.STORAGE


@pytest.mark.timeout(120)
async def test_a_damaged_database_is_refused_by_code_and_left_as_it_is(tmp_path: Path) -> None:
    """The file's tail is gone, as after a copy that was cut short."""
    cluster = Supervisor(tmp_path)
    try:
        await cluster.start()
        await cluster.stop()
        size = cluster.database.stat().st_size
        os.truncate(cluster.database, size // 2)
        damaged = cluster.database.read_bytes()
        with pytest.raises(RuntimeError, match="cannot be used"):
            await cluster.start()
        assert cluster.exit_code == ExitCode.STORAGE
        assert cluster.database.read_bytes() == damaged
    finally:
        cluster.kill()
