"""Upkeep."""

import asyncio
from typing import Any

import pytest

from im_infra.sql.errors import StoreUnavailableError
from im_infra.sql.sqlite import SqliteDatabase
from im_proto.v1.account_pb2 import USER_KIND_GUEST
from im_repo.accounts import upkeep
from im_repo.accounts.expire_guests import GUESTS_A_TRANSACTION
from im_repo.accounts.find_users import list_users
from im_repo.accounts.upkeep import Upkeep


async def disabled(database: SqliteDatabase) -> int:
    users = await database.read(lambda connection: list_users(connection, limit=1_000))
    return sum(user.disabled_time > 0 for user in users)


async def test_all_idle_guests_go_however_many(database: SqliteDatabase, seed_in: Any) -> None:
    count = GUESTS_A_TRANSACTION + 3
    await database.write(lambda connection: seed_in(connection).user(*range(1, count + 1), kind=USER_KIND_GUEST))
    await Upkeep(database).once()
    assert await disabled(database) == count


async def test_no_guest_goes_where_they_may_stay(database: SqliteDatabase, seed_in: Any) -> None:
    await database.write(lambda connection: seed_in(connection).user(1, kind=USER_KIND_GUEST))
    await Upkeep(database, guest_idle_days=0).once()
    assert await disabled(database) == 0


async def test_a_database_that_is_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = asyncio.Queue[None](10)  # more than the test waits for; then `put_nowait` raises

    class Away:
        async def write(self, _unit: object) -> object:
            tries.put_nowait(None)
            raise StoreUnavailableError

    monkeypatch.setattr(upkeep, "EVERY_S", 0.001)
    running = asyncio.create_task(Upkeep(Away()).run())  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        await tries.get()
        await tries.get()
    running.cancel()
    await asyncio.wait([running])
