"""What `im_infra.sql.abstract.Database` promises, asked of every member."""

import asyncio
import threading
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.errors import DataRejectedError, StoreBusyError, StoreFullError


def put(member: Any, number: Any, body: Any = b"") -> Any:
    return lambda connection: connection.execute(insert(member.thing), {"id": number, "body": body})


def count(member: Any) -> Any:
    return member.database.read(lambda connection: connection.scalar(select(func.count()).select_from(member.thing)))


async def test_a_unit_answers_its_value(member: Any) -> None:
    assert await member.database.write(lambda _connection: 7) == 7
    assert await member.database.read(lambda _connection: 8) == 8


async def test_what_was_written_is_read(member: Any) -> None:
    await member.database.write(put(member, 1))
    assert await count(member) == 1


async def test_a_unit_that_raises_leaves_nothing(member: Any) -> None:
    """Its own error comes out as it is."""
    refusal = ImError(error_table.CONFLICT)

    def unit(connection: Connection) -> Any:
        put(member, 1)(connection)
        raise refusal

    with pytest.raises(ImError) as caught:
        await member.database.write(unit)
    assert caught.value is refusal
    assert await count(member) == 0


async def test_a_bug_in_a_unit_comes_out_as_it_is(member: Any) -> None:
    def unit(connection: Connection) -> Any:
        put(member, 1)(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await member.database.write(unit)
    assert await count(member) == 0


async def test_refused_data_is_told_apart_and_leaves_nothing(member: Any) -> None:
    await member.database.write(put(member, 1))

    def unit(connection: Connection) -> Any:
        put(member, 2)(connection)
        put(member, 1)(connection)

    with pytest.raises(DataRejectedError):
        await member.database.write(unit)
    assert await count(member) == 1


async def test_values_that_cannot_be_bound_are_refused_data(member: Any) -> None:
    with pytest.raises(DataRejectedError):
        await member.database.write(put(member, 1 << 70))


async def test_wrong_sql_is_our_bug(member: Any) -> None:
    with pytest.raises(ImError) as caught:
        await member.database.read(lambda connection: connection.exec_driver_sql("SELECT * FROM nowhere"))
    assert caught.value.reason is error_table.INTERNAL


async def test_a_reader_cannot_write(member: Any) -> None:
    with pytest.raises(ImError):
        await member.database.read(put(member, 1))


async def test_a_lock_that_stays_is_busy_and_nothing_is_written(member: Any) -> None:
    """Once it is gone, the same unit passes."""
    with member.lock():
        with pytest.raises(StoreBusyError) as caught:
            await member.database.write(put(member, 1))
        assert caught.value.retryable
        assert await count(member) == 0
    await member.database.write(put(member, 1))


async def test_a_full_disk_is_told_and_recovers(member: Any) -> None:
    """Nothing of the transaction is there; what fits passes."""
    await member.database.write(member.fill)

    def unit(connection: Connection) -> Any:
        put(member, 1, b"small")(connection)
        put(member, 2, bytes(100_000))(connection)

    with pytest.raises(StoreFullError):
        await member.database.write(unit)
    assert await count(member) == 0
    await member.database.write(put(member, 1, b"small"))
    await member.database.write(member.empty)
    await member.database.write(put(member, 2, bytes(100_000)))
    assert await count(member) == 2


async def test_a_reader_sees_one_snapshot(member: Any) -> None:
    """A commit between its statements is not seen."""
    await member.database.write(put(member, 1))
    looked, go_on = threading.Event(), threading.Event()

    def unit(connection: Connection) -> Any:
        first = connection.scalar(select(func.count()).select_from(member.thing))
        looked.set()
        assert go_on.wait(5)
        return first, connection.scalar(select(func.count()).select_from(member.thing))

    reading = asyncio.create_task(member.database.read(unit))
    await asyncio.to_thread(looked.wait, 5)
    await member.database.write(put(member, 2))
    go_on.set()
    assert await reading == (1, 1)
    assert await count(member) == 2


async def test_readers_do_not_wait_for_a_writer(member: Any) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def unit(connection: Connection) -> Any:
        put(member, 1)(connection)
        begun.set()
        assert go_on.wait(5)

    writing = asyncio.create_task(member.database.write(unit))
    await asyncio.to_thread(begun.wait, 5)
    assert await count(member) == 0
    go_on.set()
    await writing
    assert await count(member) == 1


async def test_a_cancelled_caller_does_not_cancel_the_unit(member: Any) -> None:
    """The unit ends and is committed; the connection stays in step."""
    begun, go_on = threading.Event(), threading.Event()

    def unit(connection: Connection) -> Any:
        begun.set()
        assert go_on.wait(5)
        put(member, 1)(connection)

    writing = asyncio.create_task(member.database.write(unit))
    await asyncio.to_thread(begun.wait, 5)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    await member.database.write(put(member, 2))
    assert await count(member) == 2


async def test_many_writers_lose_nothing(member: Any) -> None:
    def add(connection: Connection) -> Any:
        top = connection.scalar(select(func.coalesce(func.max(member.thing.c.id), 0)))
        put(member, top + 1)(connection)

    await asyncio.gather(*(member.database.write(add) for _ in range(50)))
    assert await count(member) == 50


async def test_it_answers_a_ping(member: Any) -> None:
    await member.database.check()
