"""Batches, answers after the commit, and every way in which a transaction can fail, on each engine."""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, event

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.errors import DataRejectedError, OutcomeUnknownError, StoreUnavailableError
from im_infra.sql.mysql_packets import Packets
from im_infra.sql.statements import Statement
from im_repo.log.new_entries import NewEntries
from im_repo.schema import OUTBOX
from tests.support.append_bench import LOG, Asker, Bench, open_bench
from tests.support.database_faults import Faults, disk_error, faults_of
from tests.support.databases import AnyDatabase, MariadbSchema
from tests.support.tcp_proxy import NO_ANSWERS, OPEN, SILENT, TcpProxy


@pytest.fixture
def faults(any_database: AnyDatabase, monkeypatch: pytest.MonkeyPatch) -> Faults:
    return faults_of(any_database, monkeypatch)


@pytest.fixture
def mariadb_only(any_database: AnyDatabase) -> MariadbSchema:
    """For what a network between us and the engine makes possible."""
    if not isinstance(any_database, MariadbSchema):
        pytest.skip("there is no network between us and a file")
    return any_database


@pytest.fixture
def bench(any_database: AnyDatabase, ids: Any) -> Callable[..., object]:
    """An appender on this database, to be opened."""
    return partial(open_bench, any_database, ids)


async def test_answers_come_with_seq_and_row(bench: Any, draft: Any) -> None:
    """What is answered is committed and guarded."""
    async with bench() as one:
        [asker] = one.send(draft(LOG, 1))
        result = await asker.result()
        assert (result.status, result.seq, result.count) == (1, 1, 1)
        assert await one.count() == 1
        assert result.outbox_id
        assert len(one.pending) == 1


async def test_what_gathers_is_one_batch(bench: Any, draft: Any) -> None:
    """200 that come in one loop turn take two transactions of at most 128."""
    async with bench() as one:
        askers = one.send(*(draft(LOG + n % 3, 1) for n in range(200)))
        results = [await asker.result() for asker in askers]
        assert one.watched.batches == 2
        assert [result.seq for result in results if result.conversation_id == LOG] == list(range(1, 68))


async def test_refusals_fail_alone(bench: Any, draft: Any) -> None:
    """The others of the batch are answered."""
    async with bench() as one:
        good, bad, last = one.send(draft(LOG, 1), draft(999, 1), draft(LOG, 1))
        assert await bad.reason() == "CONVERSATION_NOT_FOUND"
        assert [(await asker.result()).seq for asker in (good, last)] == [1, 2]


async def test_a_full_queue_is_overloaded_at_once(bench: Any, draft: Any) -> None:
    """Nothing waits for room."""
    async with bench(queue_items=2) as one:
        askers = one.send(*(draft(LOG, 1) for _ in range(3)))
        assert await askers[2].reason() == "OVERLOADED"
        assert [(await asker.result()).seq for asker in askers[:2]] == [1, 2]


async def test_a_duplicate_is_answered_without_a_row(bench: Any, draft: Any) -> None:
    """outbox_id 0 and DUPLICATE: logic delivers it again if it is young."""
    async with bench() as one:
        same = draft(LOG, 1)
        [first] = one.send(same)
        await first.result()
        [again] = one.send(same)
        result = await again.result()
        assert (result.status, result.seq, result.outbox_id) == (2, 1, 0)


async def test_confirmed_rows_go_with_the_next_append(bench: Any, draft: Any) -> None:
    """Without a transaction of their own."""
    async with bench() as one:
        [asker] = one.send(draft(LOG, 1))
        result = await asker.result()
        one.pending.confirm(result.outbox_id, LOG, from_seq=1, to_seq=1)
        [asker] = one.send(draft(LOG, 1))
        await asker.result()
        assert await one.count(OUTBOX) == 1
        assert one.pending.take_done(9) == []


async def test_bad_data_fails_alone(bench: Any, draft: Any) -> None:
    """The batch is halved until the culprit is alone; seq has no hole and the order stays."""
    async with bench() as one:
        drafts = [draft(LOG, 1) for _ in range(20)]
        drafts[7] = drafts[7]._replace(type=1 << 70)
        askers = one.send(*drafts)
        assert await askers[7].reason() == "INTERNAL"
        results = [await asker.result() for asker in askers if asker is not askers[7]]
        assert [result.seq for result in results] == list(range(1, 20))


async def test_a_bug_in_the_unit_fails_alone(bench: Any, draft: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever one draft brings up does not fail its neighbours."""
    add = NewEntries.add

    def broken(self: Any, one: Any, *arguments: Any, **options: Any) -> None:
        if one.sender_id == 13:
            raise ZeroDivisionError
        add(self, one, *arguments, **options)

    monkeypatch.setattr(NewEntries, "add", broken)
    async with bench() as one:
        good, bad, last = one.send(draft(LOG, 1), draft(LOG, 13), draft(LOG, 1))
        assert await bad.reason() == "INTERNAL"
        assert [(await asker.result()).seq for asker in (good, last)] == [1, 2]


async def test_each_statement_failing_in_turn_leaves_nothing(bench: Any, draft: Any, faults: Faults) -> None:
    """Every statement of the transaction, BEGIN and COMMIT where they are statements; then the same drafts pass."""
    async with bench() as one:
        [asker] = one.send(draft(LOG, 2, seen_seq=1))
        first = await asker.result()
        drafts = [draft(LOG, 1, seen_seq=1), draft(LOG + 1, 1)]
        statements = 0
        while True:
            one.pending.confirm(first.outbox_id, LOG, from_seq=1, to_seq=1)
            with faults.failing(statements) as seen:
                askers = one.send(*drafts)
                outcomes = [await asyncio.gather(asker.result(), return_exceptions=True) for asker in askers]
            if len(seen) <= statements:
                break
            assert [outcome[0].reason.name for outcome in outcomes] == ["STORAGE_FULL"] * 2, seen[statements]
            assert await one.count() == 1
            assert await one.count(OUTBOX) == 1
            statements += 1
        assert statements >= 8
        assert [outcome[0].seq for outcome in outcomes] == [2, 1]
        assert await one.count(OUTBOX) == 1


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
async def test_a_broken_disk_at_commit_goes_through_lock_and_dedup_again(
    bench: Any, draft: Any, committed: Any
) -> None:
    """Stored once either way; what the first commit stored answers as a duplicate, to be delivered again."""
    async with bench() as one:

        def breaks(connection: Connection) -> None:
            event.remove(one.database.writer_engine, "commit", breaks)
            if committed:
                connection.connection.driver_connection.commit()
            raise disk_error(sqlite3.SQLITE_IOERR)

        event.listen(one.database.writer_engine, "commit", breaks)
        await stored_once(one, one.send(draft(LOG, 1), draft(LOG, 1)), committed=committed)


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
async def test_a_commit_that_stays_unknown_is_told_as_such(bench: Any, draft: Any) -> None:
    """Retryable: the outcome is for the retry's dedup to find out."""
    async with bench() as one:

        def breaks(_connection: Connection) -> None:
            raise disk_error(sqlite3.SQLITE_IOERR)

        event.listen(one.database.writer_engine, "commit", breaks)
        [asker] = one.send(draft(LOG, 1))
        assert await asker.reason() == "UNAVAILABLE"
        event.remove(one.database.writer_engine, "commit", breaks)
        [asker] = one.send(draft(LOG, 1))
        assert (await asker.result()).seq == 1


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
async def test_a_refusal_after_a_commit_that_may_have_been_does_not_say_that_nothing_is_stored(
    bench: Any, draft: Any
) -> None:
    codes = [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL]
    async with bench() as one:

        def breaks(_connection: Connection) -> None:
            if codes:
                raise disk_error(codes.pop(0))

        event.listen(one.database.writer_engine, "commit", breaks)
        [asker] = one.send(draft(LOG, 1))
        assert await asker.reason() == "UNAVAILABLE"
        assert codes == []
        event.remove(one.database.writer_engine, "commit", breaks)


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (StoreUnavailableError, OutcomeUnknownError),
        (partial(ImError, error_table.INTERNAL), OutcomeUnknownError),
        (DataRejectedError, DataRejectedError),
    ],
)
async def test_whatever_fails_after_a_commit_that_may_have_been_leaves_the_outcome_open(
    bench: Any, draft: Any, failure: Callable[[], ImError], told: type[ImError]
) -> None:
    """But for data that is refused: it would not have been looked at if it were there."""
    async with bench() as one:

        def fails() -> None:
            raise failure()

        def breaks(_connection: Connection) -> None:
            event.remove(one.database.writer_engine, "commit", breaks)
            one.watched.spoil = fails
            raise disk_error(sqlite3.SQLITE_IOERR)

        event.listen(one.database.writer_engine, "commit", breaks)
        [asker] = one.send(draft(LOG, 1))
        with pytest.raises(told):
            await asker.result()
        assert one.watched.batches == 2


async def stored_once(one: Bench, askers: list[Asker], *, committed: bool, known: bool = False) -> None:
    """Two messages, whose first COMMIT's outcome was unknown; where `known`, after one in each conversation."""
    results = [await asker.result() for asker in askers]
    assert [result.seq for result in results] == ([2, 3] if known else [1, 2])
    assert [result.status for result in results] == ([2, 2] if committed else [1, 1])
    assert [bool(result.outbox_id) for result in results] == [not committed] * 2
    assert await one.count() == 2 + 3 * known
    assert await one.count(OUTBOX) == 1 + known


@pytest.mark.parametrize("any_database", ["mariadb"], indirect=True)
@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("known", [True, False])
async def test_a_commit_whose_answer_is_lost_goes_through_lock_and_dedup_again(
    bench: Any, draft: Any, mariadb_only: MariadbSchema, committed: Any, known: Any
) -> None:
    """The packet came and its answer did not, or neither did; the append's only packet, or its second."""
    server, name = mariadb_only.server, mariadb_only.database
    proxy = TcpProxy(server.engine.port)
    lost = asyncio.Event()

    def lose() -> None:
        proxy.set_passage(NO_ANSWERS if committed else SILENT)
        lost.set()

    async with proxy.open() as port, bench(engine={"port": port}) as one:
        if known:
            await one.meet(draft)
        one.watched.spoil = lose
        askers = one.send(draft(LOG, 1), draft(LOG, 1))
        async with asyncio.timeout(10):
            await lost.wait()
            while committed and server.administer(f"SELECT COUNT(*) FROM {name}.message") != [(2 + 3 * known,)]:
                await asyncio.sleep(0.01)
        await proxy.cut()
        proxy.set_passage(OPEN)
        await stored_once(one, askers, committed=committed, known=known)
        assert one.watched.at_once == known


@pytest.mark.parametrize("any_database", ["mariadb"], indirect=True)
async def test_a_connection_killed_between_the_packets_stores_nothing_twice(
    bench: Any, draft: Any, mariadb_only: MariadbSchema
) -> None:
    """Whether the second one arrived is looked up; the answer tells nothing of it."""
    async with bench() as one:
        one.watched.spoil = partial(mariadb_only.server.kill_connections, mariadb_only.database)
        await stored_once(one, one.send(draft(LOG, 1), draft(LOG, 1)), committed=False)
        assert one.watched.batches == 2


@pytest.mark.parametrize("any_database", ["mariadb"], indirect=True)
async def test_a_server_that_stays_away_is_told(bench: Any, draft: Any, mariadb_only: MariadbSchema) -> None:
    """Retryable; the same drafts pass once it is back."""
    proxy = TcpProxy(mariadb_only.server.engine.port)
    async with proxy.open() as port, bench(engine={"port": port, "connect_timeout_s": 0.2, "unit_timeout_s": 1}) as one:
        proxy.set_passage(SILENT)
        same = draft(LOG, 1)
        [asker] = one.send(same)
        assert await asker.reason() == "UNAVAILABLE"
        await proxy.cut()
        proxy.set_passage(OPEN)
        [asker] = one.send(same)
        assert (await asker.result()).seq == 1


@pytest.mark.parametrize("any_database", ["mariadb"], indirect=True)
@pytest.mark.parametrize("known", [True, False])
async def test_a_deadlock_is_nobody_s_business(bench: Any, draft: Any, known: Any) -> None:
    """The whole batch again; it stays ahead of what came later."""
    bound, met = Packets._bound, []

    def deadlocked(packets: Packets, statement: Statement) -> str:
        if statement.sql.startswith("INSERT INTO message") and len(met) < 2:
            met.append(statement)
            return "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock'"
        return bound(packets, statement)

    async with bench(batch_items=3) as one:
        if known:
            await one.meet(draft)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Packets, "_bound", deadlocked)
            results = [await asker.result() for asker in one.send(*(draft(LOG, 1) for _ in range(9)))]
        assert len(met) == 2
        assert [result.seq for result in results] == list(range(1 + known, 10 + known))
        assert [result.status for result in results] == [1] * 9
        assert one.watched.at_once == (3 if known else 2)


async def test_a_full_disk_refuses_and_recovers(bench: Any, draft: Any, faults: Faults) -> None:
    """No ack, no hole; the retry passes once there is room."""
    async with bench() as one:
        big = [draft(LOG, 1, body=bytes(20_000)) for _ in range(5)]
        async with faults.full(one.database):
            assert {await asker.reason() for asker in one.send(*big)} == {"STORAGE_FULL"}
            assert await one.count() == 0
        assert [(await asker.result()).seq for asker in one.send(*big)] == [1, 2, 3, 4, 5]


async def test_an_engine_that_is_read_only_refuses_and_recovers(bench: Any, draft: Any, faults: Faults) -> None:
    """The batch fails whole, as retryable: another half of it would meet the same."""
    async with bench() as one:
        drafts = [draft(LOG, 1) for _ in range(4)]
        async with faults.read_only(one.database):
            assert {await asker.reason() for asker in one.send(*drafts)} == {"UNAVAILABLE"}
            assert one.watched.batches == 1
        assert [(await asker.result()).seq for asker in one.send(*drafts)] == [1, 2, 3, 4]


async def test_a_lock_that_stays_refuses_and_recovers(bench: Any, draft: Any, faults: Faults) -> None:
    """STORAGE_BUSY after the wait; the batch after it passes."""
    async with bench(engine=faults.patience) as one:
        same = draft(LOG, 1)
        with faults.locked():
            [asker] = one.send(same)
            assert await asker.reason() == "STORAGE_BUSY"
        [asker] = one.send(same)
        assert (await asker.result()).seq == 1


async def test_rows_to_delete_come_back_after_a_failure(bench: Any, draft: Any, faults: Faults) -> None:
    """They go with the next transaction that commits."""
    async with bench() as one:
        [asker] = one.send(draft(LOG, 1))
        row = (await asker.result()).outbox_id
        one.pending.confirm(row, LOG, from_seq=0, to_seq=1)

        with faults.failing(2):
            [asker] = one.send(draft(LOG, 1))
            await asker.reason()
        [asker] = one.send(draft(LOG, 1))
        await asker.result()
        assert one.pending.take_done(9) == []
        assert await one.count(OUTBOX) == 1


async def test_without_ids_nothing_is_stored(bench: Any, draft: Any, ids: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost worker lease is retryable."""

    def lost(_count: int) -> list[int]:
        raise ImError(error_table.UNAVAILABLE)

    monkeypatch.setattr(ids, "next_ids", lost)
    async with bench() as one:
        [asker] = one.send(draft(LOG, 1))
        assert await asker.reason() == "UNAVAILABLE"
        assert await one.count() == 0


async def test_stopping_answers_what_waits(bench: Any, draft: Any) -> None:
    """Each is told; nothing hangs."""
    async with bench(batch_items=1) as one:
        await asyncio.sleep(0)
        askers = one.send(*(draft(LOG, 1) for _ in range(5)))
    askers += one.send(draft(LOG, 1))
    assert [await asker.reason() for asker in askers] == ["UNAVAILABLE"] * 6


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
async def test_stopping_while_a_batch_is_halved_answers_all_of_it(
    bench: Any, draft: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The half under way, and those that were to come after it."""
    halving = asyncio.Event()

    async def refuses_or_hangs(drafts: Any) -> None:
        if len(drafts) > 1:
            raise DataRejectedError
        halving.set()
        await asyncio.Event().wait()

    async with bench() as one:
        monkeypatch.setattr(one.appender._store, "store", refuses_or_hangs)
        askers = one.send(*(draft(LOG, 1) for _ in range(4)))
        await halving.wait()
    assert [await asker.reason() for asker in askers] == ["UNAVAILABLE"] * 4


async def test_several_lanes_keep_the_order_of_a_conversation(
    bench: Any, draft: Any, any_database: AnyDatabase
) -> None:
    """Side by side where the engine can; a conversation is in one batch at a time."""
    many = {"append_connections": 4} if any_database.name == "mariadb" else {}
    async with bench(engine=many, batch_items=8) as one:
        assert one.watched.closing_lanes == (4 if many else 1)
        drafts = [draft(LOG + n % 3, 1) for n in range(300)]
        results = [await asker.result() for asker in one.send(*drafts)]
        for log in range(LOG, LOG + 3):
            assert [result.seq for result in results if result.conversation_id == log] == list(range(1, 101))
