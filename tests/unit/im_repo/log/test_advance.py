"""The UPDATE that takes conversations on: exactly those that are as they are known, and only their log."""

from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from im_infra.sql.expressions import read_now_ms
from im_infra.sql.statements import read_together, write_together
from im_repo.log.advance import advance_conversations
from im_repo.log.locked import LockedConversation, lock_answer, lock_question
from im_repo.schema import CONVERSATION

pytestmark = pytest.mark.parametrize("any_database", ["mariadb"], indirect=True)


def known(connection: Connection, *ids: int) -> dict[int, LockedConversation]:
    [rows] = read_together(connection, [lock_question("mysql", ids)])
    return lock_answer("mysql", rows)[1]


def table(connection: Connection) -> dict[int, dict[str, Any]]:
    return {row.conversation_id: dict(row._mapping) for row in connection.execute(select(CONVERSATION))}


@pytest.mark.parametrize("grown", [(1,), (3,), (1, 1, 1), (2, 1, 5), (2, 2)])
def test_each_grows_by_its_own(connection: Connection, seed: Any, grown: Any) -> None:
    logs = range(70, 70 + len(grown))
    for log in (*logs, 99):
        seed.conversation(log, 1, title="Group", epoch=7, rewind_seq=6, max_seq=9, max_count=4, last_time=log)
    before, of = table(connection), known(connection, *logs)
    for log, by in zip(logs, grown, strict=True):
        of[log].max_seq += by
        of[log].max_count += by
    earliest = read_now_ms(connection)
    [now] = write_together(connection, [advance_conversations(list(of.values()))])
    assert earliest <= now <= read_now_ms(connection)
    for log, by in zip(logs, grown, strict=True):
        before[log].update(max_seq=9 + by, max_count=4 + by, last_time=now, active_time=now)
    assert table(connection) == before


@pytest.mark.parametrize(
    "column",
    ["epoch", "status", "fanout", "fanout_time", "member_version", "deny_version", "last_time", "max_seq", "max_count"],
)
def test_one_that_has_changed_is_not_found(connection: Connection, seed: Any, column: Any) -> None:
    """Whichever column an entry's fate or ack rests on; its neighbour is."""
    for log in (70, 71):
        seed.conversation(log, 1)
    of = known(connection, 70, 71)
    for one in of.values():
        one.max_seq += 1
        one.max_count += 1
    this = CONVERSATION.c.conversation_id == 70
    connection.execute(update(CONVERSATION).where(this).values({column: CONVERSATION.c[column] + 1}))
    before = table(connection)
    write_together(connection, [advance_conversations(list(of.values()))])
    after = table(connection)
    assert after[70] == before[70]
    assert after[71]["max_seq"] == 1
