import asyncio
from typing import Any

import pytest

from im_infra import error_table
from im_infra.aio import spawn
from im_infra.bus import record_row
from im_infra.bus.abstract import Record
from im_infra.bus.record_store import RecordStore
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_infra.sql.abstract import Unit
from im_infra.sql.sqlite import SqliteDatabase


def record(number: int) -> Record:
    return Record("t", b"k", b"%d" % number)


async def stored(database: SqliteDatabase) -> list[bytes]:
    found = await database.read(lambda connection: record_row.due(connection, "t", 1_000))
    return [one.value for one in found]


async def test_what_was_added_is_stored_and_announced(database: SqliteDatabase, clock: ManualClock) -> None:
    announced: list[set[str]] = []
    store = RecordStore(database, clock, max_waiting=10, on_stored=announced.append)
    await store.add(record(1))
    assert await stored(database) == [b"1"]
    assert announced == [{"t"}]


async def test_what_waits_goes_together_in_order(
    database: SqliteDatabase, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, writes = database.write, 0

    async def counted(unit: Unit[Any]) -> Any:
        nonlocal writes
        writes += 1
        return await write(unit)

    monkeypatch.setattr(database, "write", counted)
    store = RecordStore(database, clock, max_waiting=1_000, on_stored=lambda _topics: None)
    await asyncio.gather(*(store.add(record(number)) for number in range(500)))
    assert await stored(database) == [b"%d" % number for number in range(500)]
    assert writes == 2


async def test_more_than_may_wait_is_overloaded(database: SqliteDatabase, clock: ManualClock) -> None:
    store = RecordStore(database, clock, max_waiting=2, on_stored=lambda _topics: None)
    outcomes = await asyncio.gather(*(store.add(record(number)) for number in range(3)), return_exceptions=True)
    assert outcomes[:2] == [None, None]
    assert isinstance(outcomes[2], ImError)
    assert outcomes[2].reason is error_table.OVERLOADED


async def test_a_failure_is_told_to_everybody_in_it_and_the_next_goes_on(
    database: SqliteDatabase, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked(_unit: Unit[Any]) -> Any:
        raise ImError(error_table.STORAGE_BUSY, "locked")

    store = RecordStore(database, clock, max_waiting=10, on_stored=lambda _topics: None)
    with monkeypatch.context() as patched:
        patched.setattr(database, "write", locked)
        outcomes = await asyncio.gather(*(store.add(record(number)) for number in range(2)), return_exceptions=True)
    assert [error.reason for error in outcomes if isinstance(error, ImError)] == [error_table.STORAGE_BUSY] * 2
    await store.add(record(3))
    assert await stored(database) == [b"3"]


async def test_closing_waits_for_what_is_being_stored(database: SqliteDatabase, clock: ManualClock) -> None:
    store = RecordStore(database, clock, max_waiting=10, on_stored=lambda _topics: None)
    await store.close()
    adding = spawn(store.add(record(1)), name="test")
    await asyncio.sleep(0)
    await store.close()
    assert await stored(database) == [b"1"]
    await adding
