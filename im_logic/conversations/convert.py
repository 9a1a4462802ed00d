"""From repo's ConversationState to the values of this room."""

from im_logic.conversations.conversation import FANOUT_SMALL, Conversation, ConversationKind, Membership, Place, Role
from im_proto.repo.v1.conversation_pb2 import ConversationState, MemberRow


def to_conversation(state: ConversationState, *, asked_for: int, asked_at: float) -> Conversation:
    """The state as values.

    Args:
        state: repo's answer.
        asked_for: the user whose row was asked for: without a row, that is known then.
        asked_at: monotonic seconds at which the load began.
    """
    places = {row.user_id: _to_place(row) for row in state.members}
    if state.kind == ConversationKind.DIRECT:
        for user_id in (state.low_user_id, state.high_user_id):
            places.setdefault(user_id, Place(user_id, Role.MEMBER, Membership.IN, 0, ((1, 0),)))
    if asked_for:
        places.setdefault(asked_for, Place(asked_for))
    return Conversation(
        conversation_id=state.conversation_id,
        kind=state.kind,
        status=state.status,
        fanout=state.fanout,
        epoch=state.epoch,
        member_version=state.member_version,
        deny_version=state.deny_version,
        member_count=state.member_count,
        max_seq=state.max_seq,
        min_seq=state.min_seq,
        title=state.title,
        slow_mode_ms=state.slow_mode_ms,
        places=places,
        complete=state.kind != ConversationKind.WORLD
        and (state.fanout == FANOUT_SMALL or _count_in(places) == state.member_count),
        exceptions_listed=state.exceptions_listed,
        asked_at=asked_at,
        present=tuple(place.user_id for place in places.values() if _opened(place)),
        steady_from=max((_steady_from(place) for place in places.values()), default=1),
    )


def _count_in(places: dict[int, Place]) -> int:
    return sum(place.state == Membership.IN for place in places.values())


def _opened(place: Place) -> int:
    """The first seq of the open window; 0: there is none."""
    return next((first for first, last in place.windows if not last), 0)


def _steady_from(place: Place) -> int:
    """From which seq on the place sees everything, or nothing."""
    return _opened(place) or max((last + 1 for _, last in place.windows), default=1)


def _to_place(row: MemberRow) -> Place:
    windows = tuple((window.from_seq, window.to_seq) for window in row.windows)
    return Place(row.user_id, row.role, row.state, row.muted_until_time, windows)
