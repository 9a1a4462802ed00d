"""Delivering again, and deleting what is done."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, select

from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.rpc.peer import Peer
from im_infra.sql.abstract import Database
from im_infra.sql.errors import StoreBusyError
from im_infra.sql.statements import write_together
from im_proto.repo.v1.stream_pb2 import RepoPush
from im_repo.log.draft import Range
from im_repo.outbox.large_rests import LargeRests
from im_repo.outbox.pending import Pending
from im_repo.outbox.rows import claim_rows, row_to_insert
from im_repo.outbox.settings import OutboxSettings
from im_repo.outbox.sweeper import Sweeper
from im_repo.schema import OUTBOX

RANGES = [Range(70, 5, 7, 1), Range(71, 1, 1, 2)]


class Logic:
    """A connected logic process that takes so many pushes."""

    def __init__(self, node_id: str, room: int = 1_000) -> None:
        self.peer = Peer(node_id, "boot")
        self.room = room
        self.got = []

    def push(self, body: bytes) -> bool:
        if len(self.got) >= self.room:
            return False
        self.got.append(RepoPush.FromString(body).redeliver)
        return True


class Time:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pending() -> Any:
    return Pending(max_rows=1_000, sweep_after_ms=3_000, max_backoff_ms=5_000)


@pytest.fixture
def rests(time: Time) -> LargeRests:
    return LargeRests(time)


@pytest.fixture
def sweeper(database: Database, pending: Any, rests: LargeRests, time: Time) -> Any:
    def make(*streams: object) -> Any:
        return Sweeper(
            database,
            pending=pending,
            rests=rests,
            streams=lambda: streams,
            owner="me",
            settings=OutboxSettings(),
            metrics=Metrics(),
            monotonic=time,
        )

    return make


def insert_row(connection: Connection, ranges: Sequence[Range] = RANGES, *, owner: str = "gone", next_time: int) -> int:
    statement = row_to_insert(connection.dialect.name, ranges, owner=owner, now=1, next_time=next_time)
    return write_together(connection, [statement])[0]


async def put(database: Database, *, next_time: Any = 1, count: Any = 1, owner: Any = "gone") -> Any:
    return [await database.write(lambda c: insert_row(c, owner=owner, next_time=next_time)) for _ in range(count)]


def rows_of(database: Database) -> Any:
    return database.read(lambda connection: connection.execute(select(OUTBOX)).all())


async def test_at_the_start_all_rows_are_delivered(database: Database, sweeper: Any) -> None:
    """Whatever their age: nobody counts them any more. Later only those that are due."""
    logic = Logic("logic-1")
    one = sweeper(logic)
    [row] = await put(database, next_time=1 << 60)
    await one.sweep()
    assert [(push.outbox_id, len(push.ranges)) for push in logic.got] == [(row, 2)]
    assert (await rows_of(database))[0].owner == "me"
    await put(database, next_time=1 << 60)
    await one.sweep()
    assert len(logic.got) == 1


async def test_at_the_start_what_was_committed_meanwhile_is_left_alone(
    database: Database, sweeper: Any, pending: Any
) -> None:
    logic = Logic("logic-1")
    [row] = await put(database, next_time=1 << 60, owner="me")
    pending.add(row, RANGES, now=100.0)
    await sweeper(logic).sweep()
    assert logic.got == []


async def test_a_row_whose_commit_took_long_is_not_late(
    database: Database, sweeper: Any, pending: Any, time: Time
) -> None:
    """Due by its time in the database as soon as it can be seen; it gets its time to be confirmed all the same."""
    logic = Logic("logic-1")
    one = sweeper(logic)
    await one.sweep()
    rows = await put(database, count=120)
    for row in rows:
        pending.add(row, RANGES, now=100.0)
    await one.sweep()
    assert logic.got == []
    assert all(row.next_time > 1 for row in await rows_of(database)), "looked at again when it is late"
    await database.write(lambda c: claim_rows(c, dict.fromkeys(rows, 0), owner="me"))
    time.now = 103.0
    await one.sweep()
    assert len(logic.got) == len(rows)


async def test_what_is_confirmed_while_it_is_read_or_claimed_is_not_delivered(
    database: Database, sweeper: Any, pending: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append confirms and deletes beside the sweep."""
    logic = Logic("logic-1")
    one = sweeper(logic)
    await one.sweep()
    first, second = await put(database, count=2)
    real_read, real_write = database.read, database.write

    def confirm(row: int) -> None:
        pending.confirm(row, 70, from_seq=5, to_seq=7)
        pending.confirm(row, 71, from_seq=1, to_seq=1)

    for row in (first, second):
        pending.add(row, RANGES, now=0.0)

    async def read(unit: Any) -> Any:
        found = await real_read(unit)
        confirm(first)
        pending.deleted(pending.take_done(10))
        return found

    async def write(unit: Any) -> Any:
        confirm(second)
        return await real_write(unit)

    monkeypatch.setattr(database, "read", read)
    monkeypatch.setattr(database, "write", write)
    await one.sweep()
    assert logic.got == []


async def test_many_rows_are_delivered_in_one_sweep(database: Database, sweeper: Any) -> None:
    """Page by page, each once."""
    logic = Logic("logic-1")
    ids = await database.write(lambda c: [insert_row(c, next_time=1 << 60) for _ in range(250)])
    await sweeper(logic).sweep()
    assert [push.outbox_id for push in logic.got] == ids


async def test_only_what_is_unconfirmed_is_delivered(database: Database, sweeper: Any, pending: Any) -> None:
    logic = Logic("logic-1")
    [row] = await put(database)
    pending.add(row, RANGES, now=0.0)
    pending.confirm(row, 70, from_seq=5, to_seq=6)
    await sweeper(logic).sweep()
    assert [(one.conversation_id, one.from_seq, one.to_seq, one.fanout) for one in logic.got[0].ranges] == [
        (70, 7, 7, 1), (71, 1, 1, 2),
    ]  # fmt: skip


async def test_a_delivered_row_waits_before_it_is_repeated(database: Database, sweeper: Any) -> None:
    logic = Logic("logic-1")
    one = sweeper(logic)
    await put(database)
    await one.sweep()
    await one.sweep()
    assert len(logic.got) == 1


async def test_what_is_done_is_deleted_and_not_delivered(database: Database, sweeper: Any, pending: Any) -> None:
    logic = Logic("logic-1")
    one = sweeper(logic)
    [row] = await put(database)
    pending.add(row, RANGES, now=0.0)
    pending.confirm(row, 70, from_seq=5, to_seq=7)
    pending.confirm(row, 71, from_seq=1, to_seq=1)
    await one.sweep()
    assert logic.got == []
    await one.delete_confirmed()
    assert await rows_of(database) == []
    assert pending.take_done(9) == []


async def test_without_logic_it_rests(database: Database, sweeper: Any) -> None:
    """Rows keep their time, so that the first logic process gets them at once."""
    await put(database)
    await sweeper().sweep()
    assert (await rows_of(database))[0].next_time == 1


async def test_a_full_peer_is_passed_over_and_all_full_ends_the_sweep(database: Database, sweeper: Any) -> None:
    """What nobody took comes again later; at the start, at once with the next sweep."""
    full, free = Logic("logic-1", room=0), Logic("logic-2", room=2)
    one = sweeper(full, free)
    rows = await put(database, count=4, next_time=1 << 60)
    await one.sweep()
    assert [push.outbox_id for push in free.got] == rows[:2]
    free.room = 100
    await one.sweep()
    assert {push.outbox_id for push in free.got} == set(rows)


async def test_rows_are_spread_over_logic_processes(database: Database, sweeper: Any) -> None:
    logics = [Logic(f"logic-{n}") for n in range(2)]
    await put(database, count=10)
    await sweeper(*logics).sweep()
    assert [len(logic.got) for logic in logics] == [5, 5]


async def test_a_deletion_that_fails_is_tried_again(
    database: Database, sweeper: Any, pending: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sweeper()
    [row] = await put(database)
    pending.add(row, [Range(70, 1, 1, 1)], now=0.0)
    pending.confirm(row, 70, from_seq=1, to_seq=1)

    async def busy(_unit: object) -> Any:
        raise StoreBusyError

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", busy)
        with pytest.raises(ImError):
            await one.delete_confirmed()
    await one.delete_confirmed()
    assert await rows_of(database) == []


async def test_while_the_bus_takes_nothing_only_small_ranges_are_delivered(
    database: Database, sweeper: Any, rests: LargeRests, time: Time
) -> None:
    """And all of them again when the rest is over."""
    logic = Logic("logic-1")
    one = sweeper(logic)
    await one.sweep()
    rests.rest(logic.peer, 5_000)
    [mixed] = await put(database)
    large = await database.write(lambda c: insert_row(c, RANGES[1:], next_time=1))
    await one.sweep()
    assert [(push.outbox_id, [part.fanout for part in push.ranges]) for push in logic.got] == [(mixed, [1])]
    time.now += 5
    logic.got.clear()
    await one.sweep()
    assert [(push.outbox_id, len(push.ranges)) for push in logic.got] == [(mixed, 2), (large, 1)]


async def test_large_ranges_go_to_a_logic_process_that_can_deliver_them(
    database: Database, sweeper: Any, rests: LargeRests
) -> None:
    logics = [Logic("logic-1"), Logic("logic-2")]
    rests.rest(logics[0].peer, 5_000)
    await put(database, count=4)
    await sweeper(*logics).sweep()
    assert [len(logic.got) for logic in logics] == [0, 4]


async def test_a_sampled_batch_is_delivered_again_within_its_trace(database: Database, sweeper: Any) -> None:
    logic = Logic("logic-1")

    def insert_sampled(connection: Connection) -> None:
        dialect = connection.dialect.name
        statement = row_to_insert(dialect, RANGES, owner="gone", now=1, next_time=1, trace=b"t" * 24)
        write_together(connection, [statement])

    await database.write(insert_sampled)
    await put(database)
    await sweeper(logic).sweep()
    assert [push.trace for push in logic.got] == [b"t" * 24, b""]
