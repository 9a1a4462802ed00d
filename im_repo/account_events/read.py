"""Read account events after a `pts`."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from im_proto.v1.sync_pb2 import AccountEvent
from im_repo.schema import USER_EVENT, USER_STATE


@dataclass(frozen=True, slots=True)
class AccountEvents:
    """What a user missed."""

    events: list[AccountEvent]
    """Ascending, without holes."""
    max_pts: int
    """The user's last pts; 0: there never was an event."""
    reset: bool
    """The pts asked for is too old or from the future: `events` is empty, the directory is read whole."""


def read_events(connection: Connection, user_id: int, *, after_pts: int) -> AccountEvents:
    """The user's events after `after_pts`; 0 asks for all that there ever were."""
    max_pts = connection.scalar(select(USER_STATE.c.max_pts).where(USER_STATE.c.user_id == user_id)) or 0
    if after_pts == max_pts:
        return AccountEvents(events=[], max_pts=max_pts, reset=False)
    if after_pts > max_pts:
        return AccountEvents(events=[], max_pts=max_pts, reset=True)
    bodies = connection.scalars(
        select(USER_EVENT.c.body)
        .where(USER_EVENT.c.user_id == user_id, USER_EVENT.c.pts > after_pts, USER_EVENT.c.pts <= max_pts)
        .order_by(USER_EVENT.c.pts)
    )
    events = [AccountEvent.FromString(body) for body in bodies]
    whole = len(events) == max_pts - after_pts
    return AccountEvents(events=events if whole else [], max_pts=max_pts, reset=not whole)
