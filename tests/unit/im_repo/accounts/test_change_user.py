"""Changing users."""

from typing import Any

import pytest
from sqlalchemy import Connection

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.v1.account_pb2 import USER_KIND_ADMIN, USER_KIND_GUEST, USER_KIND_REGISTERED
from im_repo.accounts.change_user import (
    UserChange,
    change_user,
    disable_user,
    enable_user,
    set_kind,
    set_password_hash,
)
from im_repo.accounts.find_sessions import find_session
from im_repo.accounts.find_users import find_user
from im_repo.accounts.invites import create_invite

UPGRADE = UserChange(
    handle="Grace", kind=USER_KIND_REGISTERED, password_hash="hash", expected_kind=USER_KIND_GUEST,
    operation_id=bytes(16), digest=bytes(16),
)  # fmt: skip


def refusal(connection: Connection, user_id: int, change: UserChange) -> error_table.Reason:
    with pytest.raises(ImError) as caught:
        change_user(connection, user_id, change, now=10)
    return caught.value.reason


def test_only_what_is_said_changes(connection: Connection, sessions: Any) -> None:
    before = find_user(connection, 7)
    changed = change_user(connection, 7, UserChange(display_name="New"), now=10)
    assert before is not None
    before.display_name = "New"
    assert changed.user == before
    assert change_user(connection, 7, UserChange(), now=10).user == before


def test_a_guest_is_upgraded_in_place(connection: Connection, seed: Any) -> None:
    seed.user(9, kind=USER_KIND_GUEST)
    user = change_user(connection, 9, UPGRADE, now=10).user
    assert (user.user_id, user.handle, user.kind, user.password_hash) == (9, "grace", USER_KIND_REGISTERED, "hash")


def test_a_repeated_upgrade_answers_the_user_and_changes_nothing(connection: Connection, seed: Any) -> None:
    seed.user(9, kind=USER_KIND_GUEST)
    change_user(connection, 9, UPGRADE, now=10)
    change_user(connection, 9, UserChange(display_name="Later"), now=11)
    assert change_user(connection, 9, UPGRADE, now=12).user.display_name == "Later"


def test_only_the_expected_kind_is_changed(connection: Connection, sessions: Any) -> None:
    assert refusal(connection, 7, UPGRADE) is error_table.PERMISSION_DENIED


def test_a_taken_handle_is_refused(connection: Connection, seed: Any) -> None:
    seed.user(7, 8)
    assert refusal(connection, 7, UserChange(handle="USER8")) is error_table.HANDLE_TAKEN


def test_an_upgrade_spends_an_invite(connection: Connection, seed: Any) -> None:
    seed.user(8, 9, kind=USER_KIND_GUEST)
    create_invite(connection, "tea", uses=1, expire_time=0, now=1)
    change_user(connection, 8, UserChange(handle="ada", invite_code="tea"), now=10)
    assert refusal(connection, 9, UserChange(handle="grace", invite_code="tea")) is error_table.INVITE_INVALID


def test_nobody_cannot_be_changed(connection: Connection) -> None:
    assert refusal(connection, 99, UserChange(display_name="x")) is error_table.USER_NOT_FOUND


def test_a_kept_session_outlives_the_others_with_a_new_generation(connection: Connection, sessions: Any) -> None:
    for session_id in (1, 2):
        sessions.open(session_id)
    change = UserChange(password_hash="new", revoke_sessions=True, keep_session_id=1)
    changed = change_user(connection, 7, change, now=20)
    assert [session.session_id for session in changed.revoked] == [2]
    kept = find_session(connection, 1)
    assert kept is not None
    assert (kept.revoked_time, kept.generation) == (0, 2)
    assert [revocation[0] for revocation in sessions.revocations()] == [2]


def test_nobody_keeps_a_session_of_another_user(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    sessions.open(2, user_id=8)
    change_user(connection, 7, UserChange(revoke_sessions=True, keep_session_id=2), now=20)
    other = find_session(connection, 2)
    assert other is not None
    assert other.generation == 1


def test_a_disabled_user_loses_all_sessions_and_comes_back_enabled(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    disabled = disable_user(connection, 7, now=20)
    assert (disabled.user.disabled_time, [session.session_id for session in disabled.revoked]) == (20, [1])
    enabled = enable_user(connection, 7, now=30)
    assert (enabled.user.disabled_time, enabled.revoked) == (0, [])


def test_an_operator_gives_passwords_and_kinds_and_old_tokens_die(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    assert set_password_hash(connection, 7, "new", now=20).user.password_hash == "new"
    sessions.open(2)
    changed = set_kind(connection, 7, USER_KIND_ADMIN, now=30)
    assert (changed.user.kind, [session.session_id for session in changed.revoked]) == (USER_KIND_ADMIN, [2])
