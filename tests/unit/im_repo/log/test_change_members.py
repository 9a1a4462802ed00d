"""Rows, windows, versions, counts and ownership that follow a change of members."""

from typing import Any

from sqlalchemy import Connection, select, update

from im_repo.log.draft import Effects, Guards, MemberChange
from im_repo.log.fanout_class import FanoutBounds
from im_repo.schema import CONVERSATION, CURSOR, MEMBER, MEMBER_WINDOW

LOG, WORLD = 70, 1


def windows(connection: Connection, user: Any, log: Any = LOG) -> Any:
    this = (MEMBER_WINDOW.c.conversation_id == log) & (MEMBER_WINDOW.c.user_id == user)
    rows = connection.execute(select(MEMBER_WINDOW.c.from_seq, MEMBER_WINDOW.c.to_seq).where(this))
    return sorted(map(tuple, rows))


def member(connection: Connection, user: Any, log: Any = LOG) -> Any:
    return connection.execute(select(MEMBER).where(MEMBER.c.conversation_id == log, MEMBER.c.user_id == user)).one()


def head(connection: Connection, log: Any = LOG) -> Any:
    return connection.execute(select(CONVERSATION).where(CONVERSATION.c.conversation_id == log)).one()


def change(draft: Any, *members: object, log: Any = LOG, sender: Any = 1, **effects: object) -> Any:
    guards = effects.pop("guards", None)
    return draft(
        log, sender, type=3, countable=False, deny_version=0, body=b"", guards=guards,
        effects=Effects(members=members, **effects),
    )  # fmt: skip


def test_a_stay_opens_and_ends_at_its_own_entries(connection: Connection, seed: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG, 1, 2)
    store(draft(LOG, 1))
    store(change(draft, MemberChange(3, 1)))
    store(draft(LOG, 1))
    left = store(change(draft, MemberChange(3, 2)))
    store(draft(LOG, 1, deny_version=0))
    store(change(draft, MemberChange(3, 1)))
    assert windows(connection, 3) == [(2, 4), (6, 0)]
    assert [(one.user_id, one.state) for one in left.changed] == [(3, 2)]
    assert (head(connection).member_count, head(connection).member_version, head(connection).deny_version) == (3, 4, 2)


def test_rows_carry_the_version_of_their_last_change(connection: Connection, seed: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG, 1, 2)
    store(change(draft, MemberChange(3, 1)))
    store(change(draft, MemberChange(4, 1)))
    left = store(change(draft, MemberChange(3, 3)))
    assert (member(connection, 3).version, member(connection, 4).version) == (4, 3)
    assert (member(connection, 3).left_time, member(connection, 4).left_time) == (left.server_time, 0)


def test_first_members_see_the_whole_log(connection: Connection, seed: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG)
    store(change(draft, MemberChange(1, 1, role=3), MemberChange(2, 1), whole_history=True))
    assert windows(connection, 2) == [(1, 0)]
    assert (member(connection, 1).role, head(connection).owner_id, head(connection).member_count) == (3, 1, 2)


def test_whoever_comes_back_never_reads_backwards(connection: Connection, seed: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG, 1, 2)
    seed.cursor(3, LOG, read_seq=1, read_count=1, settings=4)
    for _ in range(3):
        store(draft(LOG, 1))
    store(change(draft, MemberChange(3, 1)))
    cursor = connection.execute(select(CURSOR).where(CURSOR.c.user_id == 3)).one()
    assert (cursor.read_seq, cursor.read_count, cursor.settings) == (4, 3, 4)


def test_ownership_goes_to_the_longest_standing_admin(
    connection: Connection, seed: Any, store: Any, draft: Any
) -> None:
    seed.conversation(LOG, 1, 2, 3, 4, owner_id=1)
    connection.execute(update(MEMBER).where(MEMBER.c.user_id == 3).values(role=2, joined_time=9))
    connection.execute(update(MEMBER).where(MEMBER.c.user_id == 4).values(role=2, joined_time=8))
    left = store(change(draft, MemberChange(1, 2), hand_on_ownership=True))
    assert [(one.user_id, one.state, one.role) for one in left.changed] == [(1, 2, 1), (4, 1, 3)]
    assert head(connection).owner_id == 4


def test_ownership_goes_to_the_longest_standing_member_else(
    connection: Connection, seed: Any, store: Any, draft: Any
) -> None:
    seed.conversation(LOG, 1, 2, 3, owner_id=1)
    connection.execute(update(MEMBER).where(MEMBER.c.user_id == 2).values(joined_time=9))
    store(change(draft, MemberChange(1, 2), hand_on_ownership=True))
    assert (head(connection).owner_id, member(connection, 3).role) == (3, 3)


def test_ownership_stays_when_somebody_else_leaves(connection: Connection, seed: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG, 1, 2, 3, owner_id=1)
    store(change(draft, MemberChange(2, 2), sender=2, hand_on_ownership=True))
    assert head(connection).owner_id == 1


def test_the_last_one_out_dissolves_the_group(connection: Connection, seed: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG, 1, owner_id=1)
    store(change(draft, MemberChange(1, 2), hand_on_ownership=True))
    assert (head(connection).status, head(connection).owner_id, head(connection).member_count) == (2, 0, 0)


def test_dissolving_is_one_entry_and_one_row(connection: Connection, seed: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG, 1, 2)
    ended = store(change(draft, dissolve=True))
    assert (head(connection).status, ended.deny_version, ended.member_version, ended.changed) == (2, 2, 2, ())
    assert member(connection, 2).state == 1


def test_a_full_group_takes_nobody(connection: Connection, seed: Any, append_one: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG, 1, 2)
    guards = Guards(max_members=3)
    refusal = append_one(change(draft, MemberChange(3, 1), MemberChange(4, 1), guards=guards))
    assert refusal.reason.name == "GROUP_FULL"
    assert store(change(draft, MemberChange(2, 1), MemberChange(3, 1), guards=guards)).seq == 1
    assert store(change(draft, MemberChange(3, 2), guards=guards)).seq == 2


def test_the_class_changes_back_and_forth(connection: Connection, seed: Any, append: Any, draft: Any) -> None:
    seed.conversation(LOG, 1, 2)
    bounds = FanoutBounds(large_above=2, small_below=2, both_ways_ms=0)
    up = append(change(draft, MemberChange(3, 1)), bounds=bounds).outcomes[0]
    assert (up.fanout, head(connection).fanout, head(connection).fanout_time) == (2, 2, up.server_time)
    append(change(draft, MemberChange(3, 2)), bounds=bounds)
    assert head(connection).fanout == 2
    append(change(draft, MemberChange(2, 2)), bounds=bounds)
    assert head(connection).fanout == 1


def test_a_ban_in_the_world_room_ends_a_stay_that_no_row_began(
    connection: Connection, seed: Any, store: Any, draft: Any
) -> None:
    seed.conversation(WORLD, kind=3, fanout=2)
    store(draft(WORLD, 1))
    store(change(draft, MemberChange(7, 4), log=WORLD, sender=0))
    assert windows(connection, 7, WORLD) == [(1, 2)]
    assert (head(connection, WORLD).member_count, head(connection, WORLD).fanout) == (0, 2)
    assert connection.execute(select(CURSOR)).all() == []
