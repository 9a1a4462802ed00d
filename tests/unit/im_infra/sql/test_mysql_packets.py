"""Packets of several statements: every answer is fetched and counted, and values stay values."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncmy
import pytest
from asyncmy.errors import MySQLError
from sqlalchemy.util import greenlet_spawn

from im_infra.sql.mysql_packets import Packets, RefusedError
from im_infra.sql.statements import Statement
from tests.support.mariadb import MariadbServer


@pytest.fixture
async def connection(mariadb_server: MariadbServer, mariadb_database: str) -> AsyncIterator[Any]:
    mariadb_server.administer(f"CREATE TABLE {mariadb_database}.thing (id BIGINT PRIMARY KEY)")
    settings = mariadb_server.settings(mariadb_database)
    connection = await asyncmy.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password.get_secret_value(),
        database=mariadb_database,
    )
    yield connection
    connection.close()


async def run(call: Callable[..., Any], *arguments: Any) -> Any:
    return await greenlet_spawn(call, *arguments)


def insert(*ids: int) -> list[Statement]:
    return [Statement("INSERT INTO thing VALUES (%s)", (number,)) for number in ids]


async def test_nothing_is_sent_for_nothing(connection: Any) -> None:
    packets = Packets(connection)
    assert await run(packets.read, []) == []
    assert await run(packets.write, []) == []


async def test_a_statement_refused_before_the_commit_is_told_from_the_commit(
    connection: Any, mariadb_server: MariadbServer, mariadb_database: str
) -> None:
    """Whichever it is: nothing is committed, although the statements before it were answered."""
    packets = Packets(connection)
    for at in range(3):
        ids = [1, 2, 3]
        ids[at] = ids[at - 1] if at else 1
        statements = [*insert(*ids)]
        statements[at] = Statement("INSERT INTO nowhere VALUES (1)")
        with pytest.raises(RefusedError, match="1146"):
            await run(packets.write_and_commit, statements)
        await connection.rollback()
    assert mariadb_server.administer(f"SELECT COUNT(*) FROM {mariadb_database}.thing") == [(0,)]


async def test_a_lost_connection_is_no_refusal(connection: Any, mariadb_server: MariadbServer) -> None:
    """The COMMIT may have happened."""
    packets = Packets(connection)
    mariadb_server.administer(f"KILL {connection.thread_id()}")
    with pytest.raises(MySQLError):
        await run(packets.write_and_commit, insert(1))


async def test_answers_that_are_too_many_are_a_failure(connection: Any) -> None:
    """As when a statement were two."""
    with pytest.raises(MySQLError, match="had 2 answers"):
        await run(Packets(connection).read, [Statement("SELECT 1; SELECT 2")])


async def test_a_last_answer_inside_a_transaction_is_a_failure(
    connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ack after anything but the end of the transaction would be an ack before it."""
    monkeypatch.setattr("im_infra.sql.mysql_packets._COMMIT", Statement("DO 0"))
    with pytest.raises(MySQLError, match="not the end of its transaction"):
        await run(Packets(connection).write_and_commit, insert(1))


async def test_a_last_answer_with_rows_is_a_failure(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("im_infra.sql.mysql_packets._COMMIT", Statement("SELECT 1"))
    with pytest.raises(MySQLError, match="not the end of its transaction"):
        await run(Packets(connection).write_and_commit, [])


@pytest.mark.parametrize(
    "value",
    [
        b"'; DROP TABLE thing; --",
        b"",
        -(2**63),
        b"\\",
        b"\\'",
        b"\x00\x1a\n\r\"'",
        bytes(range(256)),
        "'; DROP TABLE thing",
        "é😀\\",
    ],
)
async def test_values_stay_values(connection: Any, value: Any) -> None:
    """Whatever they hold, nothing of them becomes a statement."""
    statement = Statement("SELECT %s, %s", (value, 7))
    [[row], [last]] = await run(Packets(connection).read, [statement, Statement("SELECT COUNT(*) FROM thing")])
    assert row == (value, 7)
    assert last == (0,)
