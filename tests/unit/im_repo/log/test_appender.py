"""Batches, answers after the commit, and every way in which a transaction can fail."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, insert, select

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import SqliteDatabase, open_sqlite
from im_proto.repo.v1.stream_pb2 import AppendResult, RepoResponse
from im_repo.conversations.make import NewConversation, conversation_row
from im_repo.log.append_batch import BatchTerms
from im_repo.log.appender import Appender
from im_repo.log.draft import Draft
from im_repo.log.fanout_class import FanoutBounds
from im_repo.log.settings import AppendSettings
from im_repo.outbox.pending import Pending
from im_repo.schema import CONVERSATION, MESSAGE, OUTBOX

LOG = 70


class Asker:
    """Waits for one answer, and insists that there is only one."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[AppendResult] = asyncio.get_running_loop().create_future()

    def answer(self, body: bytes) -> None:
        self._answer.set_result(RepoResponse.FromString(body).append)

    def fail(self, error: ImError) -> None:
        self._answer.set_exception(error)

    async def result(self) -> AppendResult:
        async with asyncio.timeout(10):
            return await self._answer

    async def reason(self) -> str:
        with pytest.raises(ImError) as caught:
            await self.result()
        return caught.value.reason.name


class Bench:
    """An appender on a database with three empty conversations."""

    def __init__(self, database: SqliteDatabase, appender: Appender, pending: Pending) -> None:
        self.database = database
        self.appender = appender
        self.pending = pending

    def send(self, *drafts: Draft) -> list[Asker]:
        askers = []
        for draft in drafts:
            asker = Asker()
            self.appender.submit(draft, asker)
            askers.append(asker)
        return askers

    async def count(self, table: object = MESSAGE) -> int:
        return await self.database.read(
            lambda connection: connection.scalar(select(func.count()).select_from(table)) or 0
        )


@pytest.fixture
def bench(tmp_path: Path, sqlite_template: Path, ids: Any) -> Callable[..., object]:
    """Open a bench; the queue is only worked on inside the context."""

    @asynccontextmanager
    async def open_bench(*, busy_timeout_ms: int = 5_000, **settings: int) -> AsyncIterator[Bench]:
        path = tmp_path / "log.db"
        shutil.copy(sqlite_template, path)
        async with open_sqlite(path, SqliteSettings(busy_timeout_ms=busy_timeout_ms)) as database:
            await database.write(_seed)
            pending = Pending(max_rows=100, sweep_after_ms=3_000, max_backoff_ms=5_000)
            appender = Appender(
                database,
                ids=ids,
                pending=pending,
                terms=BatchTerms("boot", 3_000, FanoutBounds()),
                settings=AppendSettings(**settings),
                metrics=Metrics(),
                monotonic=lambda: 0.0,
            )
            running = asyncio.create_task(appender.run())
            yield Bench(database, appender, pending)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

    return open_bench


def _seed(connection: Connection) -> None:
    rows = [conversation_row(NewConversation(conversation_id=LOG + n, kind=2), 1) for n in range(3)]
    connection.execute(insert(CONVERSATION), rows)


def disk_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("injected")
    error.sqlite_errorcode = code
    return error


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
        commits = []
        event.listen(one.database.writer_engine, "commit", commits.append)
        askers = one.send(*(draft(LOG + n % 3, 1) for n in range(200)))
        results = [await asker.result() for asker in askers]
        assert len(commits) == 2
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
        assert one.pending.done_rows == 0


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
    from im_repo.log import append_batch as module  # noqa: PLC0415 - patched below

    store = module._Batch._store

    def broken(self: Any, one: Any, *arguments: object, **options: object) -> Any:
        if one.sender_id == 13:
            raise ZeroDivisionError
        return store(self, one, *arguments, **options)

    monkeypatch.setattr(module._Batch, "_store", broken)
    async with bench() as one:
        good, bad, last = one.send(draft(LOG, 1), draft(LOG, 13), draft(LOG, 1))
        assert await bad.reason() == "INTERNAL"
        assert [(await asker.result()).seq for asker in (good, last)] == [1, 2]


async def test_each_statement_failing_in_turn_leaves_nothing(bench: Any, draft: Any) -> None:
    """Every statement of the transaction, and BEGIN; then the same drafts pass."""
    async with bench() as one:
        [asker] = one.send(draft(LOG, 2, seen_seq=1))
        await asker.result()
        drafts = [draft(LOG, 1, seen_seq=1), draft(LOG + 1, 1)]
        statements = 0
        while True:
            seen = []

            def fails(
                _connection: Connection,
                _cursor: object,
                statement: Any,
                *_rest: object,
                seen: Any = seen,
                at: Any = statements,
            ) -> Any:
                seen.append(statement)
                if len(seen) - 1 == at:
                    raise disk_error(sqlite3.SQLITE_FULL)

            event.listen(one.database.writer_engine, "before_cursor_execute", fails)
            askers = one.send(*drafts)
            outcomes = [await asyncio.gather(asker.result(), return_exceptions=True) for asker in askers]
            event.remove(one.database.writer_engine, "before_cursor_execute", fails)
            if len(seen) <= statements:
                break
            assert [outcome[0].reason.name for outcome in outcomes] == ["STORAGE_FULL"] * 2
            assert await one.count() == 1
            assert await one.count(OUTBOX) == 1
            statements += 1
        assert statements >= 6
        assert [outcome[0].seq for outcome in outcomes] == [2, 1]


@pytest.mark.parametrize("committed", [True, False])
async def test_an_unknown_commit_goes_through_lock_and_dedup_again(bench: Any, draft: Any, committed: Any) -> None:
    """Stored once either way; what the first commit stored answers as a duplicate, to be delivered again."""
    async with bench() as one:

        def breaks(connection: Connection) -> None:
            event.remove(one.database.writer_engine, "commit", breaks)
            if committed:
                connection.connection.driver_connection.commit()
            raise disk_error(sqlite3.SQLITE_IOERR)

        event.listen(one.database.writer_engine, "commit", breaks)
        askers = one.send(draft(LOG, 1), draft(LOG, 1))
        results = [await asker.result() for asker in askers]
        assert [result.seq for result in results] == [1, 2]
        assert [result.status for result in results] == ([2, 2] if committed else [1, 1])
        assert [bool(result.outbox_id) for result in results] == [not committed] * 2
        assert await one.count() == 2
        assert await one.count(OUTBOX) == 1


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


async def test_a_full_disk_refuses_and_recovers(bench: Any, draft: Any) -> None:
    """No ack, no hole; the retry passes once there is room."""
    async with bench() as one:
        pages = await one.database.write(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar())
        await one.database.write(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}"))
        big = [draft(LOG, 1, body=bytes(20_000)) for _ in range(5)]
        assert {await asker.reason() for asker in one.send(*big)} == {"STORAGE_FULL"}
        assert await one.count() == 0
        await one.database.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1000000"))
        assert [(await asker.result()).seq for asker in one.send(*big)] == [1, 2, 3, 4, 5]


async def test_a_lock_that_stays_refuses_and_recovers(bench: Any, draft: Any, tmp_path: Path) -> None:
    """STORAGE_BUSY after the wait; the batch after it passes."""
    async with bench(busy_timeout_ms=50) as one:
        other = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        same = draft(LOG, 1)
        [asker] = one.send(same)
        assert await asker.reason() == "STORAGE_BUSY"
        other.execute("ROLLBACK")
        other.close()
        [asker] = one.send(same)
        assert (await asker.result()).seq == 1


async def test_rows_to_delete_come_back_after_a_failure(bench: Any, draft: Any) -> None:
    """They go with the next transaction that commits."""
    async with bench() as one:
        [asker] = one.send(draft(LOG, 1))
        row = (await asker.result()).outbox_id
        one.pending.confirm(row, LOG, from_seq=0, to_seq=1)

        def fails(*_arguments: object) -> None:
            event.remove(one.database.writer_engine, "before_cursor_execute", fails)
            raise disk_error(sqlite3.SQLITE_FULL)

        event.listen(one.database.writer_engine, "before_cursor_execute", fails)
        [asker] = one.send(draft(LOG, 1))
        await asker.reason()
        assert one.pending.done_rows == 1
        [asker] = one.send(draft(LOG, 1))
        await asker.result()
        assert one.pending.done_rows == 0
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


async def test_several_workers_keep_the_order_of_a_conversation(bench: Any, draft: Any) -> None:
    """As on engines with several writers."""
    async with bench(workers=4, batch_items=8) as one:
        drafts = [draft(LOG + n % 3, 1) for n in range(300)]
        results = [await asker.result() for asker in one.send(*drafts)]
        for log in range(LOG, LOG + 3):
            assert [result.seq for result in results if result.conversation_id == log] == list(range(1, 101))
