"""What `im_infra.sql.abstract.Database` promises, asked of every member."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, func, insert, select, update

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.errors import DataRejectedError, StoreBusyError, StoreFullError
from im_infra.sql.statements import Closing, Statement, read_together, write_together
from im_infra.sql.types import BIG_INT, BLOB

QUOTED = "'x'"


def put(member: Any, number: Any, body: Any = b"") -> Any:
    return lambda connection: connection.execute(insert(member.thing), {"id": number, "body": body})


def count(member: Any) -> Any:
    return member.database.read(lambda connection: connection.scalar(select(func.count()).select_from(member.thing)))


async def eventually_count(member: Any, wanted: int) -> Any:
    """What a unit without a caller leaves is there as soon as it ends."""
    async with asyncio.timeout(5):
        while (found := await count(member)) < wanted:
            await asyncio.sleep(0.01)
    return found


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
    await member.fill()

    def unit(connection: Connection) -> Any:
        put(member, 1, b"small")(connection)
        put(member, 2, bytes(100_000))(connection)

    with pytest.raises(StoreFullError):
        await member.database.write(unit)
    assert await count(member) == 0
    await member.database.write(put(member, 1, b"small"))
    await member.empty()
    await member.database.write(put(member, 2, bytes(100_000)))
    assert await count(member) == 2


async def test_a_reader_sees_one_snapshot(member: Any) -> None:
    """A commit between its statements is not seen."""
    await member.database.write(put(member, 1))
    gate = member.gate()

    def unit(connection: Connection) -> Any:
        first = connection.scalar(select(func.count()).select_from(member.thing))
        gate.pause()
        return first, connection.scalar(select(func.count()).select_from(member.thing))

    reading = asyncio.create_task(member.database.read(unit))
    await gate.begun.wait()
    await member.database.write(put(member, 2))
    gate.go_on.set()
    assert await reading == (1, 1)
    assert await count(member) == 2


async def test_readers_do_not_wait_for_a_writer(member: Any) -> None:
    gate = member.gate()

    def unit(connection: Connection) -> Any:
        put(member, 1)(connection)
        gate.pause()

    writing = asyncio.create_task(member.database.write(unit))
    await gate.begun.wait()
    assert await count(member) == 0
    gate.go_on.set()
    await writing
    assert await count(member) == 1


async def test_a_cancelled_caller_does_not_cancel_the_unit(member: Any) -> None:
    """The unit ends and is committed; the connection stays in step."""
    gate = member.gate()

    def unit(connection: Connection) -> Any:
        gate.pause()
        put(member, 1)(connection)

    writing = asyncio.create_task(member.database.write(unit))
    await gate.begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    gate.go_on.set()
    await member.database.write(put(member, 2))
    assert await eventually_count(member, 2) == 2


async def test_many_writers_lose_nothing(member: Any) -> None:
    """Each reads under a lock what the one before it wrote."""
    await member.database.write(put(member, 1, b"0"))

    def add(connection: Connection) -> Any:
        [body] = connection.scalars(select(member.thing.c.body).where(member.thing.c.id == 1).with_for_update())
        put(member, 2 + int(body))(connection)
        connection.execute(update(member.thing).where(member.thing.c.id == 1).values(body=str(int(body) + 1).encode()))

    await asyncio.gather(*(member.database.write(add) for _ in range(50)))
    assert await count(member) == 51


async def test_it_answers_a_ping(member: Any) -> None:
    await member.database.check()


def rows(*numbers: int) -> Statement:
    """An INSERT by hand; both engines take its values as they stand."""
    return Statement(f"INSERT INTO thing (id, body) VALUES {', '.join(f'({number}, {QUOTED})' for number in numbers)}")


async def test_what_a_unit_closes_with_is_committed(member: Any) -> None:
    """In its order, after the unit's own statements; the answer comes after the commit."""

    def unit(connection: Connection) -> Closing[Any]:
        put(member, 1, b"0")(connection)
        return Closing([rows(2, 3), Statement("DELETE FROM thing WHERE id = 2")], list)

    assert len(await member.database.write_closing(unit)) == 2
    assert await member.database.read(lambda connection: connection.scalars(select(member.thing.c.id)).all()) == [1, 3]


async def test_a_closing_tells_the_ids_that_were_given(member: Any) -> None:
    """Those of rows whose key the engine makes."""
    number = Column("number", BIG_INT, primary_key=True, autoincrement=True)
    await member.database.write(Table("numbered", MetaData(), number, Column("body", BLOB)).create)

    async def insert_one(key: int) -> Any:
        numbered = Statement("INSERT INTO numbered (body) VALUES ('x')")
        ids = await member.database.write_closing(lambda _connection: Closing([rows(key), numbered], list))
        return ids[1]

    assert [await insert_one(key) for key in (1, 2)] == [1, 2]


async def test_a_closing_may_be_empty(member: Any) -> None:
    assert await member.database.write_closing(lambda _connection: Closing([], lambda _ids: "done")) == "done"


@pytest.mark.parametrize("at", range(3))
async def test_each_statement_of_a_closing_failing_leaves_nothing(member: Any, at: Any) -> None:
    """The unit's own writes go with it, and the next unit passes."""
    await member.database.write(put(member, 9))

    def unit(connection: Connection) -> Closing[Any]:
        put(member, 1)(connection)
        return Closing([rows(9) if number == at else rows(2 + number) for number in range(3)], list)

    with pytest.raises(DataRejectedError):
        await member.database.write_closing(unit)
    assert await count(member) == 1
    assert await member.database.write_closing(lambda _connection: Closing([rows(2)], list))
    assert await count(member) == 2


async def test_a_closing_unit_that_raises_leaves_nothing(member: Any) -> None:
    refusal = ImError(error_table.CONFLICT)

    def unit(connection: Connection) -> Closing[Any]:
        put(member, 1)(connection)
        raise refusal

    with pytest.raises(ImError) as caught:
        await member.database.write_closing(unit)
    assert caught.value is refusal
    assert await count(member) == 0


async def test_what_a_closing_unit_wrote_together_goes_with_it(member: Any) -> None:
    """The next unit, on the same connection perhaps, does not commit it."""

    def unit(connection: Connection) -> Closing[Any]:
        write_together(connection, [rows(1)])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await member.database.write_closing(unit)
    await member.database.write_closing(lambda _connection: Closing([rows(2)], list))
    assert await count(member) == 1


async def test_what_is_asked_together_is_answered_in_order(member: Any) -> None:
    """Bound values stay values, whatever they hold."""
    odd = b"\x00'\\;\xff%s?"
    await member.database.write(put(member, 1, odd))

    def unit(connection: Connection) -> Closing[Any]:
        mark = "?" if member.database.dialect == "sqlite" else "%s"
        found = read_together(
            connection,
            [
                Statement(f"SELECT id FROM thing WHERE body = {mark}", (odd,)),
                Statement("SELECT id FROM thing WHERE id = 2"),
                Statement(f"SELECT body FROM thing WHERE id IN ({mark}, {mark})", (1, 2)),
            ],
        )
        return Closing([Statement(f"INSERT INTO thing VALUES ({mark}, {mark})", (2, odd))], lambda _ids: found)

    [first, second, third] = await member.database.write_closing(unit)
    assert [tuple(row) for row in first] == [(1,)]
    assert [tuple(row) for row in second] == []
    assert [bytes(row[0]) for row in third] == [odd]
    copied = await member.database.read(
        lambda connection: connection.scalar(select(member.thing.c.body).where(member.thing.c.id == 2))
    )
    assert bytes(copied) == odd


async def test_asking_together_may_fail(member: Any) -> None:
    """Wrong SQL in the midst of it is our bug; the next unit passes."""

    def unit(connection: Connection) -> Closing[Any]:
        read_together(connection, [Statement("SELECT 1"), Statement("SELECT * FROM nowhere"), Statement("SELECT 1")])
        return Closing([rows(1)], list)

    with pytest.raises(ImError) as caught:
        await member.database.write_closing(unit)
    assert caught.value.reason is error_table.INTERNAL
    assert await count(member) == 0
    await member.database.write_closing(lambda _connection: Closing([rows(1)], list))


async def test_many_closings_lose_nothing(member: Any) -> None:
    """Side by side or one after the other."""
    await asyncio.gather(
        *(member.database.write_closing(lambda _connection, n=n: Closing([rows(n)], list)) for n in range(50))
    )
    assert await count(member) == 50
    assert member.database.closing_lanes >= 1
