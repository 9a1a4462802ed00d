"""Who comes, goes or changes with an entry, and which rights that takes away. Rules over plain values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from im_infra import error_table
from im_infra.errors import ImError
from im_repo.log.draft import Guards, MemberChange, Place
from im_repo.log.values import (
    KIND_WORLD,
    ROLE_MEMBER,
    ROLE_OWNER,
    STATE_BANNED,
    STATE_IN,
    STATE_LEFT,
)


@dataclass(slots=True)
class Plan:
    """What really changes."""

    places: dict[int, Place] = field(default_factory=dict)
    """The new member rows, by user."""
    changes: list[MemberChange] = field(default_factory=list)
    """In the order of user ids; those that change nothing are left out."""
    joined: list[int] = field(default_factory=list)
    departed: list[int] = field(default_factory=list)
    owner_id: int | None = None
    """The new owner; None: not among the changes."""
    denies: bool = False
    """It takes a right away from somebody: decisions made before must be looked at again."""


def plan_changes(
    asked: Iterable[MemberChange], places: Mapping[int, Place], *, kind: int, now: int, guards: Guards | None = None
) -> Plan:
    """Work out what the asked changes do to the rows that are there.

    Those who are in already and are merely asked in again are passed over. A mute is lifted by a time that has passed,
    since 0 cannot be told from "not said" for somebody who comes in.

    Args:
        asked: the changes; of several for one user the last counts.
        places: the member rows there are, by user.
        kind: a value of im.v1.ConversationKind; in the world room a user without a row is in.
        now: the database's time, milliseconds since the epoch.
        guards: `subject_max_role` is looked at.

    Raises:
        ImError: BANNED: somebody who comes in is banned. PERMISSION_DENIED: the role of one who is changed is too
            high. USER_NOT_FOUND: somebody was to go, and nobody of those asked is in.
    """
    plan = Plan()
    latest = {change.user_id: change for change in asked}
    for user_id in sorted(latest):
        _plan_one(plan, latest[user_id], places.get(user_id), kind=kind, now=now, guards=guards)
    if not plan.changes and any(change.state != STATE_IN for change in latest.values()):
        raise ImError(error_table.USER_NOT_FOUND, "they are not in this conversation")
    return plan


def _plan_one(
    plan: Plan, change: MemberChange, place: Place | None, *, kind: int, now: int, guards: Guards | None
) -> None:
    if place is None and kind == KIND_WORLD:
        place = Place(ROLE_MEMBER, STATE_IN, 0, 0)
    was_in = place is not None and place.state == STATE_IN
    if was_in and place is not None and guards and guards.subject_max_role and place.role > guards.subject_max_role:
        raise ImError(error_table.PERMISSION_DENIED)
    if change.state == STATE_IN:
        if place is not None and was_in:
            _plan_change(plan, change, place, now=now)
        else:
            _plan_join(plan, change, place, now=now)
    else:
        _plan_departure(plan, change, place)


def _plan_join(plan: Plan, change: MemberChange, place: Place | None, *, now: int) -> None:
    if place is not None and place.state == STATE_BANNED:
        raise ImError(error_table.BANNED)
    role = change.role or ROLE_MEMBER
    muted_until_time = change.muted_until_time
    if muted_until_time < 0:
        muted_until_time = place.muted_until_time if place is not None else 0
    _record(plan, change, Place(role, STATE_IN, muted_until_time, now))
    plan.joined.append(change.user_id)


def _plan_change(plan: Plan, change: MemberChange, place: Place, *, now: int) -> None:
    role = change.role or place.role
    muted_until_time = change.muted_until_time if change.muted_until_time > 0 else place.muted_until_time
    if (role, muted_until_time) == (place.role, place.muted_until_time):
        return
    plan.denies |= role < place.role or muted_until_time > max(place.muted_until_time, now)
    _record(plan, change, place._replace(role=role, muted_until_time=muted_until_time))


def _plan_departure(plan: Plan, change: MemberChange, place: Place | None) -> None:
    state = place.state if place is not None else 0
    if state == change.state:
        return
    lifts_ban = state == STATE_BANNED and change.state == STATE_LEFT
    if state != STATE_IN and change.state != STATE_BANNED and not lifts_ban:
        return
    muted_until_time = place.muted_until_time if place is not None else 0
    joined_time = place.joined_time if place is not None else 0
    plan.denies |= not lifts_ban
    if state == STATE_IN:
        plan.departed.append(change.user_id)
    _record(plan, change, Place(ROLE_MEMBER, change.state, muted_until_time, joined_time))


def _record(plan: Plan, change: MemberChange, place: Place) -> None:
    plan.places[change.user_id] = place
    plan.changes.append(change._replace(role=place.role, muted_until_time=place.muted_until_time, pts=0))
    if place.role == ROLE_OWNER:
        plan.owner_id = change.user_id
