"""Load a conversation for a cache: its row, and the members that a small one is delivered to.

Two questions, whatever it is: a round trip costs more than what it finds, and most conversations are cold.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import BindParameter, Connection, and_, bindparam, or_, select

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.expressions import now_ms
from im_proto.repo.v1.conversation_pb2 import ConversationState, MemberRow, Window
from im_repo.log.entries import AnyRow
from im_repo.log.fanout_class import FanoutBounds
from im_repo.log.values import FANOUT_SMALL, KIND_DIRECT, KIND_WORLD, STATE_IN
from im_repo.schema import CONVERSATION, DIRECT, MEMBER, MEMBER_WINDOW

RECENTLY_LEFT_MS: Final = 30_000
"""Members who went so recently are told too: what was sent while they were in may still be on its way."""
MAX_EXCEPTIONS: Final = 100
"""Stays of those whose place in the world room differs; up to so many all of them are told.

No more, because whoever was put out has the room loaded anew by each message they try to send."""

# Made once: putting them together costs more than asking, and every conversation that comes into a cache asks.
_CONVERSATION: Final[BindParameter[int]] = bindparam("conversation_id")
_USER: Final[BindParameter[int]] = bindparam("user_id")
_TOLD: Final = (
    "kind",
    "status",
    "fanout",
    "epoch",
    "member_version",
    "deny_version",
    "member_count",
    "max_seq",
    "min_seq",
    "title",
    "slow_mode_ms",
)
"""Columns that are fields of the state."""
_LOG: Final = {
    dialect: select(
        *(CONVERSATION.c[name] for name in (*_TOLD, "fanout_time")),
        *(DIRECT.c.low_user_id, DIRECT.c.high_user_id, now_ms(dialect).label("now")),
    )
    .select_from(CONVERSATION.outerjoin(DIRECT, DIRECT.c.conversation_id == CONVERSATION.c.conversation_id))
    .where(CONVERSATION.c.conversation_id == _CONVERSATION)
    for dialect in ("sqlite", "mysql")
}
_THEIRS: Final = and_(
    MEMBER_WINDOW.c.conversation_id == MEMBER.c.conversation_id, MEMBER_WINDOW.c.user_id == MEMBER.c.user_id
)
_STAYS: Final = (
    select(
        *(MEMBER.c.user_id, MEMBER.c.role, MEMBER.c.state, MEMBER.c.muted_until_time),
        *(MEMBER_WINDOW.c.from_seq, MEMBER_WINDOW.c.to_seq),
    )
    .select_from(MEMBER.outerjoin(MEMBER_WINDOW, _THEIRS))
    .where(MEMBER.c.conversation_id == _CONVERSATION)
    .order_by(MEMBER.c.user_id, MEMBER_WINDOW.c.from_seq)
)
"""A row for each stay of each member, and one without a stay for who has none."""
_OF_ONE: Final = _STAYS.where(MEMBER.c.user_id == _USER)
_OF_EVERYBODY: Final = _STAYS.where(
    or_(MEMBER.c.user_id == _USER, MEMBER.c.state == STATE_IN, MEMBER.c.left_time > bindparam("left_after"))
)
_OF_EXCEPTIONS: Final = _STAYS.limit(MAX_EXCEPTIONS + 1)


def load_conversation(
    connection: Connection, conversation_id: int, *, user_id: int, bounds: FanoutBounds
) -> ConversationState:
    """The conversation as caches keep it.

    A small one comes with everybody who is in or went within the last 30 s, and so does a large one while both ways
    of fan-out run; the world room with all whose place differs, unless they are too many. Every one comes with the
    member row of `user_id`, if there is one.

    Raises:
        ImError: CONVERSATION_NOT_FOUND.
    """
    log = connection.execute(_LOG[connection.dialect.name], {"conversation_id": conversation_id}).one_or_none()
    if log is None:
        raise ImError(error_table.CONVERSATION_NOT_FOUND)
    told = {name: getattr(log, name) for name in _TOLD}
    state = ConversationState(conversation_id=conversation_id, **told)
    if log.kind == KIND_DIRECT:
        state.low_user_id, state.high_user_id = log.low_user_id, log.high_user_id
    stays: Sequence[AnyRow] | None = None
    if log.kind == KIND_WORLD:
        stays = _read_exceptions(connection, conversation_id)
        state.exceptions_listed = stays is not None
    elif log.fanout == FANOUT_SMALL or (log.fanout_time > 0 and log.now - log.fanout_time < bounds.both_ways_ms):
        wanted = {"user_id": user_id, "left_after": log.now - RECENTLY_LEFT_MS}
        stays = connection.execute(_OF_EVERYBODY, {"conversation_id": conversation_id, **wanted}).all()
    if stays is None:
        stays = connection.execute(_OF_ONE, {"conversation_id": conversation_id, "user_id": user_id}).all()
    state.members.extend(_members(stays))
    return state


def _read_exceptions(connection: Connection, conversation_id: int) -> Sequence[AnyRow] | None:
    """The stays of all whose place in the world room differs; None: they are too many."""
    stays = connection.execute(_OF_EXCEPTIONS, {"conversation_id": conversation_id}).all()
    return stays if len(stays) <= MAX_EXCEPTIONS else None


def _members(stays: Iterable[AnyRow]) -> Iterable[MemberRow]:
    for user_id, theirs in groupby(stays, key=lambda stay: stay.user_id):
        rows = list(theirs)
        yield MemberRow(
            user_id=user_id,
            role=rows[0].role,
            state=rows[0].state,
            muted_until_time=rows[0].muted_until_time,
            windows=[Window(from_seq=row.from_seq, to_seq=row.to_seq) for row in rows if row.from_seq is not None],
        )
