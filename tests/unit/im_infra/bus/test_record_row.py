from im_infra.bus import record_row
from im_infra.bus.abstract import Record
from im_infra.sql.sqlite import SqliteDatabase

FIRST = Record("im.push", b"k1", b"one", {"trace": "1"})
SECOND = Record("im.push", b"k2", b"two")
OTHER = Record("im.offline", b"k1", b"other")


async def stored(database: SqliteDatabase, *records: Record, now_ms: int = 1_000) -> None:
    await database.write(lambda connection: record_row.store(connection, records, now_ms))


async def due(database: SqliteDatabase, topic: str = "im.push", limit: int = 10) -> list[Record]:
    return await database.read(lambda connection: record_row.due(connection, topic, limit))


async def test_records_are_read_as_stored_by_topic_in_order(database: SqliteDatabase) -> None:
    await stored(database, FIRST, OTHER, SECOND)
    first, second = await due(database)
    assert (first.key, first.value, first.headers, first.attempts) == (b"k1", b"one", {"trace": "1"}, 0)
    assert second.value == b"two"
    assert int(first.position) < int(second.position)
    assert [record.value for record in await due(database, limit=1)] == [b"one"]


async def test_removed_records_are_gone(database: SqliteDatabase) -> None:
    await stored(database, FIRST, SECOND)
    first, _ = await due(database)
    await database.write(lambda connection: record_row.remove(connection, [first]))
    assert [record.value for record in await due(database)] == [b"two"]


async def test_attempts_are_counted(database: SqliteDatabase) -> None:
    await stored(database, FIRST, SECOND)
    first, _ = await due(database)
    for _ in range(2):
        await database.write(lambda connection: record_row.count_attempt(connection, [first]))
    assert [record.attempts for record in await due(database)] == [2, 0]


async def test_a_stored_record_is_buried_and_gone_from_its_topic(database: SqliteDatabase) -> None:
    await stored(database, FIRST)
    (first,) = await due(database)
    await database.write(lambda connection: record_row.bury(connection, first, "broken", 5_000, stored=True))
    assert await due(database) == []
    (letter,) = await database.read(lambda connection: record_row.dead_letters(connection, 10))
    assert (letter.record, letter.error, letter.time) == (first, "broken", 5_000)


async def test_one_dead_letter_by_its_id(database: SqliteDatabase) -> None:
    await database.write(lambda connection: record_row.bury(connection, FIRST, "broken", 5_000, stored=False))
    (letter,) = await database.read(lambda connection: record_row.dead_letters(connection, 10))
    number = int(letter.dead_letter_id)
    assert await database.read(lambda connection: record_row.dead_letter(connection, number)) == letter
    assert await database.read(lambda connection: record_row.dead_letter(connection, number + 1)) is None


async def test_a_record_of_another_topic_is_no_dead_letter(database: SqliteDatabase) -> None:
    await stored(database, FIRST)
    (first,) = await due(database)
    number = int(first.position)
    assert await database.read(lambda connection: record_row.dead_letter(connection, number)) is None
    assert not await database.write(lambda connection: record_row.take_dead_letter(connection, number))


async def test_a_dead_letter_moves_back_once(database: SqliteDatabase) -> None:
    await database.write(lambda connection: record_row.bury(connection, FIRST, "broken", 5_000, stored=False))
    (letter,) = await database.read(lambda connection: record_row.dead_letters(connection, 10))
    number = int(letter.dead_letter_id)
    moves = [
        await database.write(lambda connection: record_row.move_dead_letter(connection, number, FIRST, 6_000))
        for _ in range(2)
    ]
    assert moves == [True, False]
    assert [record.value for record in await due(database)] == [b"one"]
