"""What guards are asked against."""

from typing import Any

import pytest
from sqlalchemy import Connection

from im_infra.sql.statements import read_together
from im_repo.log.draft import Effects, Guards, MemberChange, Target
from im_repo.log.locked import lock_answer, lock_question
from im_repo.log.lookups import Lookups, Questions, asks_target

LOG = 70


@pytest.fixture
def conversation(connection: Connection, seed: Any) -> Any:
    seed.conversation(LOG, 1, 2)
    for _ in range(3):
        seed.say(LOG, 1, now=7)
    dialect = connection.dialect.name
    [rows] = read_together(connection, [lock_question(dialect, [LOG])])
    return lock_answer(dialect, rows)[1][LOG]


def look_up(connection: Connection, drafts: Any) -> Lookups:
    questions = Questions(drafts)
    answers = read_together(connection, questions.ask(connection.dialect.name))
    return Lookups(connection, questions, iter(answers))


def test_targets_are_asked_by_guards_and_by_effects(draft: Any) -> None:
    assert asks_target(draft(LOG, 1, guards=Guards(target_unrecalled=True)))
    assert asks_target(draft(LOG, 1, effects=Effects(blank_target=True)))
    assert asks_target(draft(LOG, 1, effects=Effects(edit_target=True)))
    assert not asks_target(draft(LOG, 1, guards=Guards(min_gap_ms=1), effects=Effects(dissolve=True)))


def test_targets_are_read_beforehand_or_seen_as_they_are_stored(
    connection: Connection, conversation: Any, draft: Any
) -> None:
    about = [draft(LOG, 1, ref_seq=seq, guards=Guards(target_unrecalled=True)) for seq in (2, 4, 9)]
    lookups = look_up(connection, about)
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
    lookups = look_up(connection, [])
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
    lookups = look_up(connection, [slow, plain])
    assert (lookups.last_send(slow), lookups.last_send(plain)) == (5, 0)
    lookups.stored(slow, seq=4, flags=4, now=99)
    lookups.stored(plain, seq=5, flags=4, now=99)
    assert lookups.last_send(slow) == 99
    [statement] = lookups.moves.take(connection.dialect.name)
    assert statement.values == (1, LOG, 0, 0, 99)


def test_what_a_sender_saw_ends_at_what_is_committed(connection: Connection, conversation: Any, draft: Any) -> None:
    """With the count that stands there; what is not there was not seen."""
    drafts = [draft(LOG, sender, seen_seq=seq) for sender, seq in ((1, 2), (2, 3), (3, 99), (4, -1))]
    lookups = look_up(connection, [*drafts, draft(LOG, 0, seen_seq=1)])
    conversation.max_seq += 5
    for one in drafts:
        lookups.see(conversation, one.sender_id, one.seen_seq)
    [statement] = lookups.moves.take(connection.dialect.name)
    values = [value for value in statement.values if value is not None]
    assert values == [1, LOG, 2, 2, 0, 2, LOG, 3, 3, 0, 3, LOG, 3, 3, 0]


def test_nothing_is_asked_for_plain_drafts(draft: Any) -> None:
    assert Questions([draft(LOG, 1)]).ask("sqlite") == []


def test_nothing_was_seen_of_an_empty_log(connection: Connection, seed: Any, draft: Any) -> None:
    seed.conversation(LOG + 1, 1)
    dialect = connection.dialect.name
    [rows] = read_together(connection, [lock_question(dialect, [LOG + 1])])
    lookups = look_up(connection, [draft(LOG + 1, 1, seen_seq=5)])
    lookups.see(lock_answer(dialect, rows)[1][LOG + 1], 1, 5)
    assert lookups.moves.take(dialect) == []


def test_places_are_read_when_asked(connection: Connection, conversation: Any) -> None:
    lookups = look_up(connection, [])
    assert lookups.place(LOG, 1).state == 1
    assert lookups.place(LOG, 9) is None
