"""How users stand in conversations: what their cursors may move to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection

from im_infra.sql.statements import Rows, Statement, read_together
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD, MEMBER_STATE_IN
from im_repo.conversations.windows import WHOLE_LOG, Span, Window, visible_spans
from im_repo.cursors.rows_question import rows_question

_KEY: Final = ("user_id", "conversation_id")
_LOG_KEY: Final = ("conversation_id",)


class Place(NamedTuple):
    """A user in a conversation."""

    user_id: int
    conversation_id: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A member, what they may see and how far they are."""

    max_count: int
    """Countable entries of the whole log."""
    spans: Sequence[Span]
    """What they may see, ascending."""
    read_seq: int = 0
    read_count: int = 0
    received_seq: int = 0
    hide_seq: int = 0
    hide_count: int = 0
    has_cursor: bool = False
    """There is a row, and in a write transaction it is locked."""


def read_standings(connection: Connection, places: Sequence[Place]) -> dict[Place, Standing]:
    """The standings of those of `places` who are in; everybody is in the world room unless a row says otherwise.

    Four statements whatever the number of places. In a write transaction the cursors that exist stay locked until its
    end, in the order of their keys.
    """
    if not places:
        return {}
    dialect = connection.dialect.name
    conversation_ids = sorted({(place.conversation_id,) for place in places})
    log_rows, member_rows, window_rows, cursor_rows = read_together(
        connection,
        [
            rows_question(dialect, "conversation", (*_LOG_KEY, *_Conversation._fields), _LOG_KEY, conversation_ids),
            rows_question(dialect, "`member`", (*_KEY, "state"), _KEY, places),
            rows_question(dialect, "member_window", (*_KEY, "from_seq", "to_seq"), _KEY, places),
            _cursors_question(dialect, places),
        ],
    )
    conversations = {conversation_id: _Conversation(*rest) for conversation_id, *rest in log_rows}
    states = {Place(user_id, conversation_id): state for user_id, conversation_id, state in member_rows}
    windows = _windows_answer(window_rows)
    cursors = _cursors_answer(cursor_rows)
    standings = {}
    for place in places:
        conversation = conversations.get(place.conversation_id)
        if conversation is None:
            continue
        world = conversation.kind == CONVERSATION_KIND_WORLD
        if states.get(place, MEMBER_STATE_IN if world else None) != MEMBER_STATE_IN:
            continue
        spans = visible_spans(
            WHOLE_LOG if world else windows[place], min_seq=conversation.min_seq, max_seq=conversation.max_seq
        )
        standings[place] = Standing(conversation.max_count, spans, *cursors.get(place, _NO_CURSOR))
    return standings


def read_cursors_again(connection: Connection, standings: dict[Place, Standing], places: Sequence[Place]) -> None:
    """Bring the cursors of some of the standings up to date; in a write transaction they are locked from now on."""
    [rows] = read_together(connection, [_cursors_question(connection.dialect.name, places)])
    for place, cursor in _cursors_answer(rows).items():
        standings[place] = Standing(standings[place].max_count, standings[place].spans, *cursor)


class _Cursor(NamedTuple):
    read_seq: int
    read_count: int
    received_seq: int
    hide_seq: int
    hide_count: int
    has_cursor: bool = True


_NO_CURSOR: Final = _Cursor(0, 0, 0, 0, 0, has_cursor=False)


class _Conversation(NamedTuple):
    kind: int
    max_seq: int
    max_count: int
    min_seq: int


def _cursors_question(dialect: str, places: Sequence[Place]) -> Statement:
    columns = (*_KEY, "read_seq", "read_count", "received_seq", "hide_seq", "hide_count")
    return rows_question(dialect, "`cursor`", columns, _KEY, sorted(places), lock=True)


def _cursors_answer(rows: Rows) -> dict[Place, _Cursor]:
    return {Place(user_id, conversation_id): _Cursor(*rest) for user_id, conversation_id, *rest in rows}


def _windows_answer(rows: Rows) -> dict[Place, list[Window]]:
    windows: dict[Place, list[Window]] = defaultdict(list)
    for user_id, conversation_id, from_seq, to_seq in rows:
        windows[Place(user_id, conversation_id)].append(Window(from_seq, to_seq))
    return windows
