"""What guards are asked against."""

from typing import Any

import pytest
from sqlalchemy import Connection

from im_repo.log.draft import Effects, Guards, MemberChange, Target
from im_repo.log.locked import lock_conversations
from im_repo.log.lookups import Lookups, asks_target

LOG = 70


@pytest.fixture
def conversation(connection: Connection, seed: Any) -> Any:
    seed.conversation(LOG, 1, 2)
    for _ in range(3):
        seed.say(LOG, 1, now=7)
    return lock_conversations(connection, [LOG])[1][LOG]


def test_targets_are_asked_by_guards_and_by_effects(draft: Any) -> None:
    assert asks_target(draft(LOG, 1, guards=Guards(target_unrecalled=True)))
    assert asks_target(draft(LOG, 1, effects=Effects(blank_target=True)))
    assert asks_target(draft(LOG, 1, effects=Effects(edit_target=True)))
    assert not asks_target(draft(LOG, 1, guards=Guards(min_gap_ms=1), effects=Effects(dissolve=True)))


def test_targets_are_read_beforehand_or_seen_as_they_are_stored(
    connection: Connection, conversation: Any, draft: Any
) -> None:
    about = [draft(LOG, 1, ref_seq=seq, guards=Guards(target_unrecalled=True)) for seq in (2, 4, 9)]
    lookups = Lookups(connection, about)
    assert lookups.target(about[0]) == Target(1, 1, 4, 7)
    assert lookups.target(about[1]) is None
    lookups.stored(draft(LOG, 2), seq=4, flags=4, now=9)
    assert lookups.target(about[1]) == Target(2, 1, 4, 9)
    lookups.recalled((LOG, 4), 1)
    assert lookups.target(about[1]).flags == 5
    assert lookups.target(about[2]) is None


def test_sight_follows_the_changes_of_the_batch(
    connection: Connection, conversation: Any, seed: Any, draft: Any
) -> None:
    lookups = Lookups(connection, [])
    assert lookups.is_visible(conversation, 1, 3)
    assert not lookups.is_visible(conversation, 1, 4)
    assert not lookups.is_visible(conversation, 5, 3)
    assert lookups.is_visible(conversation, 0, 3)
    seed.member(LOG, 5, (3, 0), state=1)
    assert not lookups.is_visible(conversation, 5, 3)
    lookups.stored(draft(LOG, 1, effects=Effects(members=[MemberChange(5, 1)])), seq=4, flags=0, now=9)
    assert lookups.is_visible(conversation, 5, 3)


def test_last_sends_are_kept_where_slow_mode_asks(
    connection: Connection, conversation: Any, seed: Any, draft: Any
) -> None:
    seed.cursor(1, LOG, last_send_time=5)
    slow, plain = draft(LOG, 1, guards=Guards(min_gap_ms=10)), draft(LOG, 2)
    lookups = Lookups(connection, [slow, plain])
    assert (lookups.last_send(slow), lookups.last_send(plain)) == (5, 0)
    lookups.stored(slow, seq=4, flags=4, now=99)
    lookups.stored(plain, seq=5, flags=4, now=99)
    assert lookups.last_send(slow) == 99
    assert lookups.sent == {(1, LOG): 99}


def test_places_are_read_when_asked(connection: Connection, conversation: Any) -> None:
    lookups = Lookups(connection, [])
    assert lookups.place(LOG, 1).state == 1
    assert lookups.place(LOG, 9) is None
