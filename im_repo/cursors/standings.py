"""How users stand in conversations: what their cursors may move to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select, tuple_

from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD, MEMBER_STATE_IN
from im_repo.conversations.windows import WHOLE_LOG, Span, Window, visible_spans
from im_repo.schema import CONVERSATION, CURSOR, MEMBER, MEMBER_WINDOW


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


def read_standings(connection: Connection, places: Sequence[Place]) -> dict[Place, Standing]:
    """The standings of those of `places` who are in; everybody is in the world room unless a row says otherwise.

    Four statements whatever the number of places. In a write transaction the cursors that exist stay locked until its
    end, in the order of their keys.
    """
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
        standings[place] = Standing(conversation.max_count, spans, *cursors.get(place, ()))
    return standings


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
    of = MEMBER.c
    statement = select(of.user_id, of.conversation_id, of.state).where(
        tuple_(of.conversation_id, of.user_id).in_([(place.conversation_id, place.user_id) for place in places])
    )
    return {Place(user_id, conversation_id): state for user_id, conversation_id, state in connection.execute(statement)}


def _read_windows(connection: Connection, places: Sequence[Place]) -> dict[Place, list[Window]]:
    of = MEMBER_WINDOW.c
    statement = select(of.user_id, of.conversation_id, of.from_seq, of.to_seq).where(
        tuple_(of.conversation_id, of.user_id).in_([(place.conversation_id, place.user_id) for place in places])
    )
    windows: dict[Place, list[Window]] = defaultdict(list)
    for user_id, conversation_id, from_seq, to_seq in connection.execute(statement):
        windows[Place(user_id, conversation_id)].append(Window(from_seq, to_seq))
    return windows


def _read_cursors(connection: Connection, places: Sequence[Place]) -> dict[Place, tuple[int, ...]]:
    of = CURSOR.c
    statement = (
        select(
            of.user_id, of.conversation_id,
            of.read_seq, of.read_count, of.received_seq, of.hide_seq, of.hide_count,
        )
        .where(tuple_(of.user_id, of.conversation_id).in_(places))
        .order_by(of.user_id, of.conversation_id)
        .with_for_update()
    )  # fmt: skip
    rows = connection.execute(statement)
    return {Place(user_id, conversation_id): tuple(rest) for user_id, conversation_id, *rest in rows}
