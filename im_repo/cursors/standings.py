"""How users stand in conversations: what their cursors may move to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD, MEMBER_STATE_IN
from im_repo.conversations.windows import WHOLE_LOG, Span, Window, visible_spans
from im_repo.cursors.find_rows import find_rows
from im_repo.schema import CONVERSATION

_KEY: Final = ("user_id", "conversation_id")


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
    conversations = _read_conversations(connection, sorted({place.conversation_id for place in places}))
    states = _read_states(connection, places)
    windows = _read_windows(connection, places)
    cursors = _read_cursors(connection, sorted(places))
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
    for place, cursor in _read_cursors(connection, sorted(places)).items():
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


def _read_conversations(connection: Connection, conversation_ids: Sequence[int]) -> dict[int, _Conversation]:
    of = CONVERSATION.c
    statement = select(of.conversation_id, of.kind, of.max_seq, of.max_count, of.min_seq)
    rows = connection.execute(statement.where(of.conversation_id.in_(conversation_ids)))
    return {conversation_id: _Conversation(*rest) for conversation_id, *rest in rows}


def _read_states(connection: Connection, places: Sequence[Place]) -> dict[Place, int]:
    rows = find_rows(connection, "`member`", (*_KEY, "state"), _KEY, places)
    return {Place(user_id, conversation_id): state for user_id, conversation_id, state in rows}


def _read_windows(connection: Connection, places: Sequence[Place]) -> dict[Place, list[Window]]:
    windows: dict[Place, list[Window]] = defaultdict(list)
    rows = find_rows(connection, "member_window", (*_KEY, "from_seq", "to_seq"), _KEY, places)
    for user_id, conversation_id, from_seq, to_seq in rows:
        windows[Place(user_id, conversation_id)].append(Window(from_seq, to_seq))
    return windows


def _read_cursors(connection: Connection, places: Sequence[Place]) -> dict[Place, _Cursor]:
    columns = (*_KEY, "read_seq", "read_count", "received_seq", "hide_seq", "hide_count")
    rows = find_rows(connection, "`cursor`", columns, _KEY, places, lock=True)
    return {Place(user_id, conversation_id): _Cursor(*rest) for user_id, conversation_id, *rest in rows}
