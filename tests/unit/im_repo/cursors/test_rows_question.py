"""Finding rows by many keys."""

from typing import Any

from sqlalchemy import Connection, event

from im_repo.cursors.find_rows import find_rows

KEY = ("user_id", "conversation_id")


def test_the_rows_of_the_keys_are_found_and_no_others(connection: Connection, seed: Any) -> None:
    for user_id in (7, 8):
        for conversation_id in (1, 2):
            seed.cursor(user_id, conversation_id, read_seq=10 * user_id + conversation_id)
    rows = find_rows(connection, "`cursor`", (*KEY, "read_seq"), KEY, [(7, 2), (8, 1), (9, 9)], lock=True)
    assert sorted(map(tuple, rows)) == [(7, 2, 72), (8, 1, 81)]


def test_the_table_is_not_scanned(connection: Connection, seed: Any) -> None:
    """Each key is found through the index, whichever way the engine is asked."""
    for conversation_id in range(10, 60):
        seed.conversation(conversation_id, *range(1, 9))
    statements: list[str] = []

    @event.listens_for(connection, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    list(find_rows(connection, "member", KEY, KEY, [(7, 12), (8, 31)]))
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statements[0]}", (7, 12, 8, 31)).all()
        assert any("SEARCH t" in row.detail for row in plan)
        assert not any("SCAN t" in row.detail for row in plan)
    else:
        [step] = connection.exec_driver_sql(f"EXPLAIN {statements[0]}", (7, 12, 8, 31)).all()
        assert (step.type, int(step.rows)) == ("range", 2)
