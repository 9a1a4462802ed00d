"""What logic asked to hold, one guard at a time."""

from typing import Any

import pytest

from im_repo.log.draft import Guards, Place, Target
from im_repo.log.guards import refuse_gap, refuse_sender, refuse_target

GROUP, WORLD = 2, 3


def name(refusal: Any) -> Any:
    return refusal and refusal.reason.name


@pytest.mark.parametrize(
    ("gap", "last", "now", "wait"), [(1000, 500, 1499, 1), (1000, 500, 1500, 0), (1000, 0, 5000, 0), (0, 500, 500, 0)]
)
def test_slow_mode_says_how_long_to_wait(gap: Any, last: Any, now: Any, wait: Any) -> None:
    refusal = refuse_gap(Guards(min_gap_ms=gap), last_send_time=last, now=now)
    assert (refusal.retry_after_ms if refusal else 0) == wait
    assert name(refusal) in {None, "SLOW_MODE"}


@pytest.mark.parametrize(
    ("kind", "place", "asked", "expected"),
    [
        (GROUP, Place(1, 1, 0, 0), 0, None),
        (GROUP, Place(1, 1, 0, 0), 1, None),
        (GROUP, Place(1, 1, 0, 0), 2, "PERMISSION_DENIED"),
        (GROUP, Place(3, 1, 0, 0), 2, None),
        (GROUP, Place(3, 2, 0, 0), 1, "NOT_A_MEMBER"),
        (GROUP, Place(1, 4, 0, 0), 1, "NOT_A_MEMBER"),
        (GROUP, None, 0, None),
        (GROUP, None, 1, "CONVERSATION_NOT_FOUND"),
        (WORLD, None, 1, None),
        (WORLD, None, 2, "PERMISSION_DENIED"),
        (WORLD, Place(1, 4, 0, 0), 1, "NOT_A_MEMBER"),
    ],
)
def test_the_senders_place(kind: Any, place: Any, asked: Any, expected: Any) -> None:
    assert name(refuse_sender(Guards(sender_min_role=asked), place, kind=kind)) == expected


TARGET = Target(sender_id=7, type=1, flags=4, server_time=1_000)
RECALLED = TARGET._replace(flags=5)


@pytest.mark.parametrize(
    ("guards", "target", "edits", "visible", "expected"),
    [
        (Guards(), TARGET, False, True, None),
        (Guards(), None, False, True, "MESSAGE_NOT_FOUND"),
        (Guards(), TARGET, False, False, "MESSAGE_NOT_FOUND"),
        (Guards(), RECALLED, False, True, None),
        (Guards(), RECALLED, True, True, "TARGET_RECALLED"),
        (Guards(target_unrecalled=True), RECALLED, False, True, "TARGET_RECALLED"),
        (Guards(target_sender_id=7), TARGET, False, True, None),
        (Guards(target_sender_id=8), TARGET, False, True, "PERMISSION_DENIED"),
        (Guards(target_types=(1, 2)), TARGET, False, True, None),
        (Guards(target_types=(2,)), TARGET, False, True, "PERMISSION_DENIED"),
        (Guards(target_max_age_ms=500), TARGET, False, True, None),
        (Guards(target_max_age_ms=499), TARGET, False, True, "TARGET_TOO_OLD"),
    ],
)
def test_the_target(guards: Any, target: Any, edits: Any, visible: Any, expected: Any) -> None:
    assert name(refuse_target(guards, target, edits=edits, visible=visible, now=1_500)) == expected


def test_only_guards_about_the_target_ask_for_it() -> None:
    assert not Guards(min_gap_ms=1, sender_min_role=2, max_members=3).ask_target
    assert Guards(target_max_age_ms=1).ask_target
