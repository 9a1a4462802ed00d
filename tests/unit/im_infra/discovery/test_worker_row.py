from im_infra.discovery.tables import WORKER_LEASE
from im_infra.discovery.worker_row import TakenWorker, claim_worker, extend_worker, read_worker, take_worker
from im_infra.ids.snowflake import MAX_WORKERS
from im_infra.sql.sqlite import SqliteDatabase


async def test_the_first_is_worker_0_without_a_floor(database: SqliteDatabase) -> None:
    taken = await database.write(lambda connection: take_worker(connection, 1_000, 2_000))
    assert taken == TakenWorker(0, 0, 2_000)


async def test_an_id_whose_time_has_not_passed_is_left_alone(database: SqliteDatabase) -> None:
    await database.write(lambda connection: take_worker(connection, 1_000, 2_000))
    taken = await database.write(lambda connection: take_worker(connection, 1_999, 2_999))
    assert taken == TakenWorker(1, 0, 2_999)


async def test_an_id_whose_time_has_passed_is_used_again_above_it(database: SqliteDatabase) -> None:
    await database.write(lambda connection: take_worker(connection, 1_000, 2_000))
    taken = await database.write(lambda connection: take_worker(connection, 2_000, 3_000))
    assert taken == TakenWorker(0, 2_000, 3_000)


async def test_none_is_left_when_all_are_taken(database: SqliteDatabase) -> None:
    rows = [{"worker_id": worker_id, "high_time": 9_000} for worker_id in range(MAX_WORKERS)]
    await database.write(lambda connection: connection.execute(WORKER_LEASE.insert(), rows).rowcount)
    assert await database.write(lambda connection: take_worker(connection, 1_000, 2_000)) is None


async def test_extending_needs_the_time_recorded_last(database: SqliteDatabase) -> None:
    await database.write(lambda connection: take_worker(connection, 1_000, 2_000))
    assert await database.write(lambda connection: extend_worker(connection, 0, 2_000, 3_000))
    assert not await database.write(lambda connection: extend_worker(connection, 0, 2_000, 4_000))
    assert not await database.write(lambda connection: extend_worker(connection, 7, 2_000, 4_000))


async def test_a_claim_is_recorded_unless_the_time_before_it_has_not_passed(database: SqliteDatabase) -> None:
    assert await database.read(lambda connection: read_worker(connection, 5)) is None
    assert await database.write(lambda connection: claim_worker(connection, 5, 1_000, 2_000)) == 0
    assert await database.write(lambda connection: claim_worker(connection, 5, 1_999, 2_999)) is None
    assert await database.read(lambda connection: read_worker(connection, 5)) == 2_000
    assert await database.write(lambda connection: claim_worker(connection, 5, 2_000, 3_000)) == 2_000
