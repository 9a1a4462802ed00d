"""Everything arrives once, whatever happens on the way, and nobody serves a part of it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from im_infra.sql.abstract import Database
from im_infra.sql.errors import OutcomeUnknownError, StoreUnavailableError
from im_repo.clock import tick
from im_repo.id_floor import read_id_floor
from im_repo.migrations.upgrade import SchemaError, require_head, upgrade
from im_repo.schema import INVITE, MESSAGE, SESSION, TABLES, USER_EVENT
from im_repo.transfer.errors import DifferenceError, NotEmptyError, OtherSourceError
from im_repo.transfer.source import Source
from im_repo.transfer.transfer import Transfer
from tests.unit.im_repo.transfer.conftest import ANN, LARGE, SMALL

BATCH = 5
BOTH = pytest.mark.parametrize("open_target", ["sqlite", "mariadb"], indirect=True)


def nobody(_table: str, _rows: int) -> None:
    """Is told nothing."""


async def prepared(source: Database, target: Any) -> Transfer:
    transfer = Transfer(await Source.open(source), target, batch_rows=BATCH)
    await transfer.prepare()
    return transfer


async def carried(source: Database, target: Database) -> Transfer:
    """Carried, and not compared yet."""
    transfer = await prepared(source, target)
    await transfer.carry(nobody)
    return transfer


class Breaking:
    """A database whose n-th write fails, before its commit or after it."""

    def __init__(self, database: Database, *, at: int, after_commit: bool) -> None:
        self._database = database
        self._left = at
        self._after_commit = after_commit
        self.read = database.read

    async def write(self, unit: Callable[[Connection], Any]) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after_commit:
            raise StoreUnavailableError("gone")
        result = await self._database.write(unit)
        if self._left == 0:
            raise OutcomeUnknownError("gone")
        return result


@BOTH
async def test_every_row_arrives_as_it_was(source_database: Database, target: Database) -> None:
    transfer = await prepared(source_database, target)
    told: dict[str, int] = {}
    await transfer.carry(lambda table, rows: told.update({table: told.get(table, 0) + rows}))
    assert told == {name: rows for name, rows in transfer.counts.items() if rows}
    tables = await transfer.verify(nobody)
    await transfer.end()
    await target.read(require_head)
    assert {table.name: table.rows for table in tables} == transfer.counts
    assert {table.name for table in tables} == {table.name for table in TABLES}
    groups = {table.name: (table.groups, table.grouped_by) for table in tables}
    assert groups["message"] == (2, "conversation_id")
    assert groups["user_event"] == (1, "user_id")
    assert groups["invite"] == (1, None)


@BOTH
@pytest.mark.parametrize("after_commit", [False, True])
async def test_what_broke_off_goes_on_where_it_was(
    source_database: Database, target: Database, after_commit: bool
) -> None:
    """At several places: a second run tells how far the first came, carries the rest, and finds both sides the same."""
    runs, at = 0, 1
    while True:
        runs += 1
        breaking: Any = Breaking(target, at=at, after_commit=after_commit)
        transfer = Transfer(await Source.open(source_database), breaking, batch_rows=BATCH)
        try:
            await transfer.prepare()
            await transfer.carry(nobody)
        except (StoreUnavailableError, OutcomeUnknownError):
            at = 4  # from the second run on: a few batches each
            continue
        break
    assert runs > 4
    arrived = await target.read(lambda connection: connection.scalar(select(func.count()).select_from(MESSAGE)))
    assert arrived == transfer.counts["message"] == transfer.arrived["message"]
    await transfer.verify(nobody)


@BOTH
async def test_nothing_serves_a_part_of_it(source_database: Database, target: Database) -> None:
    transfer = await prepared(source_database, target)
    for unit in (require_head, upgrade):
        with pytest.raises(SchemaError, match="migrate-data"):
            await target.write(unit)
    await transfer.carry(nobody)
    await transfer.end()
    await target.write(upgrade)


async def test_a_database_that_holds_something_is_refused(source_database: Database, target: Database) -> None:
    await target.write(upgrade)
    new = {"code": "theirs", "uses_left": 1, "expire_time": 0, "created_time": 1}
    await target.write(lambda connection: connection.execute(insert(INVITE), new))
    with pytest.raises(NotEmptyError, match="invite"):
        await prepared(source_database, target)
    await target.read(require_head)


async def test_one_that_has_the_schema_and_nothing_else_is_taken(source_database: Database, target: Database) -> None:
    await target.write(upgrade)
    await (await carried(source_database, target)).verify(nobody)


async def test_what_was_carried_is_not_carried_again(source_database: Database, target: Database) -> None:
    transfer = await carried(source_database, target)
    await transfer.end()
    with pytest.raises(NotEmptyError):
        await prepared(source_database, target)


async def test_a_source_that_ran_in_between_is_refused(source_database: Database, target: Database) -> None:
    await prepared(source_database, target)
    await source_database.write(
        lambda connection: connection.exec_driver_sql("UPDATE clock SET high_time = high_time - 60000")
    )
    await source_database.write(tick)
    with pytest.raises(OtherSourceError, match="has run since"):
        await prepared(source_database, target)


async def test_two_at_the_same_time_are_told(source_database: Database, target: Database) -> None:
    first = await prepared(source_database, target)
    second = await prepared(source_database, target)
    await first.carry(nobody)
    with pytest.raises(OtherSourceError, match="same time"):
        await second.carry(nobody)
    await first.verify(nobody)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (delete(MESSAGE).where(MESSAGE.c.conversation_id == SMALL), rf"message of conversation_id {SMALL}: 1 rows .* 0"),
        (delete(MESSAGE).where(MESSAGE.c.conversation_id == LARGE, MESSAGE.c.seq == 9), r"26 rows were sent, 25"),
        (update(MESSAGE).where(MESSAGE.c.seq == 9).values(body=b"forged"), rf"conversation_id {LARGE}: 26 .*same"),
        (update(SESSION).values(generation=9), r"session: 1 rows, not all the same"),
        (delete(USER_EVENT).where(USER_EVENT.c.pts == 12), rf"user_event of user_id {ANN}: 12 rows were sent, 11"),
        (insert(USER_EVENT).values(user_id=9, pts=1, time=1, body=b""), r"user_event of user_id 9: 0 .* 1 arrived"),
    ],
)  # fmt: skip
async def test_whatever_differs_is_found(source_database: Database, target: Database, harm: Any, words: str) -> None:
    transfer = await carried(source_database, target)
    await target.write(lambda connection: connection.execute(harm))
    with pytest.raises(DifferenceError, match=words):
        await transfer.verify(nobody)


async def test_what_came_to_the_source_meanwhile_is_found(source_database: Database, target: Database) -> None:
    """`im user` works beside the command: its change must not be lost in silence."""
    transfer = await carried(source_database, target)
    new = {"code": "late", "uses_left": 1, "expire_time": 0, "created_time": 1}
    await source_database.write(lambda connection: connection.execute(insert(INVITE), new))
    with pytest.raises(DifferenceError, match="invite"):
        await transfer.verify(nobody)


async def test_ids_are_made_above_those_that_were_given(source_database: Database, target: Database) -> None:
    high_time = await source_database.read(
        lambda connection: connection.exec_driver_sql("SELECT high_time FROM clock").scalar()
    )
    lease = f"INSERT INTO worker_lease VALUES (1, {high_time + 900_000}), (2, {1 << 60})"
    await source_database.write(lambda connection: connection.exec_driver_sql(lease))
    transfer = await carried(source_database, target)
    await transfer.verify(nobody)
    assert await target.read(read_id_floor) == high_time + 900_000
