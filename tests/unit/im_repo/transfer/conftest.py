"""A source with a bit of everything, and targets on each engine."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from im_infra.bus.tables import BUS_RECORD
from im_infra.discovery.tables import WORKER_LEASE
from im_infra.sql.abstract import Database
from im_infra.sql.mysql import open_mysql
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from im_proto.v1.message_pb2 import MESSAGE_TYPE_EDIT, MESSAGE_TYPE_RECALL
from im_repo.clock import tick
from im_repo.migrations.upgrade import upgrade
from im_repo.schema import ENTRY_ACCOUNT, INVITE, OPERATION, OUTBOX, SESSION, USER_EVENT, USER_STATE

LARGE = 70
SMALL = 71
ANN, BOB = 1, 2
NO_HASH = b""
"""Shorter than its column: a server fills it up."""


def fill(connection: Connection, seed: Any) -> None:
    """Rows in every table, some beyond what one batch of the tests takes."""
    tick(connection)
    seed.user(ANN, BOB)
    seed.user(3, kind=1)
    seed.conversation(LARGE, ANN, BOB)
    for number in range(23):
        seed.say(LARGE, ANN, f"{number} grüezi 漢字 🦜 𝄞 ' \\ % \0")
    seed.say(LARGE, BOB, "x" * 300_000)
    seed.say(LARGE, ANN, "edited", type=MESSAGE_TYPE_EDIT, ref_seq=2)
    seed.say(LARGE, ANN, "", type=MESSAGE_TYPE_RECALL, ref_seq=3)
    seed.conversation(SMALL, ANN, BOB, kind=1)
    seed.say(SMALL, BOB)
    seed.cursor(ANN, LARGE, read_seq=4, read_count=4)
    session = dict.fromkeys((column.name for column in SESSION.columns), 0)
    texts = {
        "device_id": "phone-0001",
        "device_name": "Ännchens 📱",
        "refresh_hash": b"h" * 32,
        "previous_hash": NO_HASH,
    }
    connection.execute(insert(SESSION), {**session, **texts, "session_id": 5, "user_id": ANN})
    connection.execute(insert(USER_STATE), {"user_id": ANN, "max_pts": 12})
    connection.execute(
        insert(USER_EVENT), [{"user_id": ANN, "pts": pts, "time": 1, "body": b"\xff\0'"} for pts in range(1, 13)]
    )
    key = {"digest": bytes(16), "time": 1}
    connection.execute(
        insert(OPERATION),
        [{**key, "user_id": BOB, "operation_id": bytes([number]) * 16, "answer": b""} for number in range(9)],
    )
    connection.execute(
        insert(ENTRY_ACCOUNT),
        [{**key, "device_id": f"device-{number}", "operation_id": bytes(16), "user_id": BOB} for number in range(9)],
    )
    connection.execute(insert(INVITE), {"code": "Zz_-9", "uses_left": 1, "expire_time": 0, "created_time": 1})
    connection.execute(insert(OUTBOX), {"created_time": 1, "next_time": 1, "owner": "boot", "ranges": b"\1"})
    connection.execute(insert(WORKER_LEASE), {"worker_id": 0, "high_time": 77})
    record = {
        "topic": "im.dlq",
        "key": b"k",
        "due_time": 1,
        "attempts": 3,
        "error": "no",
        "headers": "{}",
        "body": b"b",
    }
    connection.execute(insert(BUS_RECORD), record)


@pytest.fixture
async def source_database(tmp_path: Path, seed_in: Any) -> AsyncIterator[Database]:
    """An embedded cluster's file."""
    async with open_sqlite(tmp_path / "source.sqlite3", SqliteSettings()) as database:
        await database.write(upgrade)
        await database.write(lambda connection: fill(connection, seed_in(connection)))
        yield database


@pytest.fixture
def open_target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Opens an empty database: a file, or for tests that say `mariadb` one of a server."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield lambda: open_sqlite(tmp_path / "target.sqlite3", SqliteSettings())
    else:
        server = request.getfixturevalue("mariadb_server")
        settings = server.settings(request.getfixturevalue("mariadb_database"))
        yield lambda: open_mysql(settings)


@pytest.fixture
async def target(open_target: Any) -> AsyncIterator[Database]:
    """An empty database."""
    async with open_target() as database:
        yield database
