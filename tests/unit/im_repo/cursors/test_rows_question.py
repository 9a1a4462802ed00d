"""Asking for rows by many keys."""

from typing import Any

from sqlalchemy import Connection

from im_infra.sql.statements import read_together
from im_repo.cursors.rows_question import rows_question

KEY = ("user_id", "conversation_id")


def test_the_rows_of_the_keys_are_found_and_no_others(connection: Connection, seed: Any) -> None:
    for user_id in (7, 8):
        for conversation_id in (1, 2):
            seed.cursor(user_id, conversation_id, read_seq=10 * user_id + conversation_id)
    keys = [(7, 2), (8, 1), (9, 9)]
    question = rows_question(connection.dialect.name, "`cursor`", (*KEY, "read_seq"), KEY, keys, lock=True)
    [rows] = read_together(connection, [question])
    assert sorted(map(tuple, rows)) == [(7, 2, 72), (8, 1, 81)]


def test_the_table_is_not_scanned(connection: Connection, seed: Any) -> None:
    """Each key is found through the index, whichever way the engine is asked."""
    for conversation_id in range(10, 60):
        seed.conversation(conversation_id, *range(1, 9))
    sql, values, _ = rows_question(connection.dialect.name, "member", KEY, KEY, [(7, 12), (8, 31)])
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", tuple(values)).all()
        assert any("SEARCH t" in row.detail for row in plan)
        assert not any("SCAN t" in row.detail for row in plan)
    else:
        [step] = connection.exec_driver_sql(f"EXPLAIN {sql}", tuple(values)).all()
        assert (step.type, int(step.rows)) == ("range", 2)
