"""Making the world room."""

from sqlalchemy import Connection, Row, select

from im_repo.conversations.ensure_world import WORLD_CONVERSATION_ID, ensure_world
from im_repo.schema import CONVERSATION


def stored(connection: Connection) -> Row[tuple[int, ...]]:
    return connection.execute(select(CONVERSATION)).one()


def test_it_is_made_once_as_a_large_conversation(connection: Connection) -> None:
    for now in (5, 6):
        assert ensure_world(connection, title="World", slow_mode_ms=5_000, now=now) == WORLD_CONVERSATION_ID
    row = stored(connection)
    assert (row.kind, row.fanout, row.title, row.slow_mode_ms, row.last_time) == (3, 2, "World", 5_000, 5)


def test_other_settings_take_effect_and_send_decisions_back(connection: Connection) -> None:
    ensure_world(connection, title="World", slow_mode_ms=0, now=5)
    ensure_world(connection, title="Lobby", slow_mode_ms=1_000, now=9)
    row = stored(connection)
    assert (row.title, row.slow_mode_ms, row.deny_version, row.last_time) == ("Lobby", 1_000, 2, 9)
