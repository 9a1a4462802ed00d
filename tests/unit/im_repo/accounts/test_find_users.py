"""Finding users."""

from typing import Any

from sqlalchemy import Connection, update

from im_proto.v1.account_pb2 import USER_KIND_ADMIN, USER_KIND_GUEST
from im_repo.accounts.find_users import find_user, find_user_by_handle, list_users, read_profiles
from im_repo.schema import USER


def test_a_user_is_found_by_id_and_by_handle_of_any_case(connection: Connection, seed: Any) -> None:
    seed.user(7)
    by_id = find_user(connection, 7)
    assert by_id is not None
    assert by_id == find_user_by_handle(connection, "USER7")
    assert find_user(connection, 8) is None
    assert find_user_by_handle(connection, "user8") is None


def test_guests_are_not_found_by_the_handle_they_do_not_have(connection: Connection, seed: Any) -> None:
    seed.user(7, kind=USER_KIND_GUEST)
    assert find_user_by_handle(connection, "") is None


def test_profiles_leave_out_the_password_and_who_does_not_exist(connection: Connection, seed: Any) -> None:
    seed.user(7, 8)
    connection.execute(update(USER).values(password_hash="secret"))
    assert [(user.user_id, user.password_hash) for user in read_profiles(connection, [8, 9, 7])] == [(7, ""), (8, "")]


def test_users_are_listed_in_pages_by_prefix_and_kind(connection: Connection, seed: Any) -> None:
    seed.user(7, 70, 71)
    seed.user(8, kind=USER_KIND_GUEST)
    seed.user(9, kind=USER_KIND_ADMIN)

    def ids(**asked: Any) -> list[int]:
        return [user.user_id for user in list_users(connection, **asked)]

    assert ids() == [7, 8, 9, 70, 71]
    assert ids(limit=2) == [7, 8]
    assert ids(limit=2, after_user_id=8) == [9, 70]
    assert ids(handle_prefix="User7") == [7, 70, 71]
    assert ids(handle_prefix="user_") == []
    assert ids(kind=USER_KIND_GUEST) == [8]
