"""Expiring guests."""

from typing import Any

from sqlalchemy import Connection

from im_proto.v1.account_pb2 import USER_KIND_GUEST
from im_repo.accounts import expire_guests as module
from im_repo.accounts.change_user import enable_user
from im_repo.accounts.expire_guests import expire_guests
from im_repo.accounts.find_users import find_user


def test_only_idle_guests_expire_and_their_sessions_end(connection: Connection, seed: Any, sessions: Any) -> None:
    seed.user(20, kind=USER_KIND_GUEST, seen_time=100)
    seed.user(21, kind=USER_KIND_GUEST, seen_time=101)
    sessions.open(1, user_id=20, now=100)
    assert expire_guests(connection, idle_ms=50, now=151) == [20]
    expired = find_user(connection, 20)
    assert expired is not None
    assert expired.disabled_time == 151
    assert [revocation[0] for revocation in sessions.revocations()] == [1]
    assert expire_guests(connection, idle_ms=50, now=151) == []


def test_many_go_in_several_calls(connection: Connection, seed: Any) -> None:
    seed.user(*range(100, 100 + module.GUESTS_A_TRANSACTION + 1), kind=USER_KIND_GUEST)
    assert len(expire_guests(connection, idle_ms=50, now=1_000)) == module.GUESTS_A_TRANSACTION
    assert len(expire_guests(connection, idle_ms=50, now=1_000)) == 1


def test_a_guest_let_in_again_has_the_whole_time_anew(connection: Connection, seed: Any) -> None:
    seed.user(20, kind=USER_KIND_GUEST, seen_time=1)
    expire_guests(connection, idle_ms=50, now=1_000)
    enable_user(connection, 20, now=1_010)
    assert expire_guests(connection, idle_ms=50, now=1_060) == []
    assert expire_guests(connection, idle_ms=50, now=1_061) == [20]
