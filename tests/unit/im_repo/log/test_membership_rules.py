"""Who really comes, goes or changes."""

from typing import Any

import pytest

from im_infra.errors import ImError
from im_repo.log.draft import Guards, MemberChange, Place
from im_repo.log.membership_rules import plan_changes

GROUP, WORLD = 2, 3
NOW = 1_000
IN = Place(role=1, state=1, muted_until_time=0, joined_time=5)


def plan(*changes: object, places: Any = None, kind: Any = GROUP, guards: Any = None) -> Any:
    return plan_changes(changes, places or {}, kind=kind, now=NOW, guards=guards)


def test_a_newcomer_is_a_member() -> None:
    made = plan(MemberChange(7, 1))
    assert made.places == {7: Place(1, 1, 0, NOW)}
    assert (made.joined, made.departed, made.denies) == ([7], [], False)


def test_who_comes_back_starts_anew_but_stays_muted() -> None:
    made = plan(MemberChange(7, 1), places={7: Place(1, 2, 9_000, 5)})
    assert made.places == {7: Place(1, 1, 9_000, NOW)}


def test_who_is_in_is_passed_over() -> None:
    made = plan(MemberChange(7, 1), MemberChange(8, 1), places={7: IN._replace(role=2, muted_until_time=9_000)})
    assert [change.user_id for change in made.changes] == [8]
    assert not plan(MemberChange(7, 1), places={7: IN}).changes


def test_changes_come_in_the_order_of_users_and_the_last_for_one_counts() -> None:
    made = plan(MemberChange(9, 1), MemberChange(7, 1), MemberChange(9, 1, role=2))
    assert [(change.user_id, change.role) for change in made.changes] == [(7, 1), (9, 2)]


@pytest.mark.parametrize("state", [2, 3, 4])
def test_who_goes_loses_role_and_right(state: Any) -> None:
    made = plan(MemberChange(7, state), places={7: IN._replace(role=2)})
    assert made.places[7] == Place(1, state, 0, 5)
    assert (made.departed, made.denies) == ([7], True)


@pytest.mark.parametrize("places", [{}, {7: IN._replace(state=2)}])
def test_nobody_goes_twice(places: Any) -> None:
    with pytest.raises(ImError) as caught:
        plan(MemberChange(7, 3), places=places)
    assert caught.value.reason.name == "USER_NOT_FOUND"


def test_somebody_outside_can_be_banned() -> None:
    made = plan(MemberChange(7, 4))
    assert (made.places[7].state, made.departed, made.denies) == (4, [], True)


def test_who_is_banned_cannot_come_in_until_it_is_lifted() -> None:
    banned = {7: IN._replace(state=4)}
    with pytest.raises(ImError) as caught:
        plan(MemberChange(8, 1), MemberChange(7, 1), places=banned)
    assert caught.value.reason.name == "BANNED"
    made = plan(MemberChange(7, 2), places=banned)
    assert (made.places[7].state, made.departed, made.denies) == (2, [], False)


@pytest.mark.parametrize(
    ("change", "place", "role", "muted", "denies"),
    [
        (MemberChange(7, 1, role=2), IN, 2, 0, False),
        (MemberChange(7, 1, role=1), IN._replace(role=2), 1, 0, True),
        (MemberChange(7, 1, muted_until_time=5_000), IN, 1, 5_000, True),
        (MemberChange(7, 1, muted_until_time=500), IN._replace(muted_until_time=5_000), 1, 500, False),
        (MemberChange(7, 1, role=3, muted_until_time=-1), IN._replace(muted_until_time=9), 3, 9, False),
    ],
)
def test_roles_and_mutes(change: Any, place: Any, role: Any, muted: Any, denies: Any) -> None:
    made = plan(change, places={7: place})
    assert made.places[7] == place._replace(role=role, muted_until_time=muted)
    assert (made.joined, made.departed, made.denies) == ([], [], denies)


def test_a_new_owner_is_told() -> None:
    assert plan(MemberChange(7, 1, role=3)).owner_id == 7
    assert plan(MemberChange(7, 1, role=2)).owner_id is None


def test_a_role_too_high_is_out_of_reach() -> None:
    guards = Guards(subject_max_role=1)
    with pytest.raises(ImError) as caught:
        plan(MemberChange(7, 3), places={7: IN._replace(role=2)}, guards=guards)
    assert caught.value.reason.name == "PERMISSION_DENIED"
    assert plan(MemberChange(7, 3), places={7: IN}, guards=guards).departed == [7]
    assert plan(MemberChange(7, 1), places={7: Place(3, 2, 0, 0)}, guards=guards).joined == [7]


def test_in_the_world_room_who_has_no_row_is_in() -> None:
    assert plan(MemberChange(7, 4), kind=WORLD).departed == [7]
    assert plan(MemberChange(7, 1, role=2), kind=WORLD).joined == []
    assert not plan(MemberChange(7, 1), kind=WORLD).changes
