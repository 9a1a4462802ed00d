"""Making users."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, Engine, func, select

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.repo.v1.account_pb2 import SessionRow, UserRow
from im_proto.v1.account_pb2 import USER_KIND_GUEST, USER_KIND_REGISTERED
from im_repo.accounts.create_user import CreatedUser, NewUser, create_user
from im_repo.accounts.find_users import find_user_by_handle
from im_repo.accounts.invites import create_invite, spend_invite
from im_repo.schema import ENTRY_ACCOUNT, SESSION, USER


def new(
    user_id: int = 7,
    *,
    handle: str = "Ada",
    device_id: str = "phone",
    operation: int = 0,
    digest: bytes = b"d" * 16,
    invite_code: str = "",
) -> NewUser:
    kind = USER_KIND_REGISTERED if handle else USER_KIND_GUEST
    return NewUser(
        user=UserRow(handle=handle, display_name="Ada", kind=kind, password_hash="hash" if handle else ""),
        session=SessionRow(
            device_id=device_id, device_class=1, refresh_hash=user_id.to_bytes(32), refresh_expire_time=100
        ),
        user_id=user_id,
        session_id=user_id + 100,
        operation_id=operation.to_bytes(16) if operation else b"",
        digest=digest if operation else b"",
        invite_code=invite_code,
    )


def refusal(connection: Connection, wanted: NewUser) -> error_table.Reason:
    with pytest.raises(ImError) as caught:
        create_user(connection, wanted, now=10)
    return caught.value.reason


def test_a_user_and_a_first_session_are_made(connection: Connection) -> None:
    made = create_user(connection, new(), now=10)
    assert (made.user.user_id, made.user.handle, made.user.created_time, made.duplicate) == (7, "ada", 10, False)
    assert made.session is not None
    assert (made.session.session_id, made.session.user_id, made.session.generation) == (107, 7, 1)
    assert made.user == find_user_by_handle(connection, "ADA")


def test_without_a_device_there_is_no_session(connection: Connection) -> None:
    assert create_user(connection, new(device_id=""), now=10).session is None
    assert connection.scalar(select(func.count()).select_from(SESSION)) == 0


def test_a_handle_is_unique_whatever_its_case(connection: Connection) -> None:
    create_user(connection, new(), now=10)
    assert refusal(connection, new(8, handle="ADA", device_id="other")) is error_table.HANDLE_TAKEN


def test_any_number_of_guests_go_without_a_handle(connection: Connection) -> None:
    for user_id in (7, 8, 9):
        create_user(connection, new(user_id, handle="", device_id=f"d{user_id}"), now=10)
    assert connection.scalars(select(USER.c.handle)).all() == [None, None, None]


def test_a_repeated_request_finds_the_user_and_opens_a_new_session(connection: Connection) -> None:
    first = create_user(connection, new(7, operation=1), now=10)
    again = create_user(connection, new(8, operation=1), now=20)
    assert again.duplicate
    assert again.user == first.user
    assert again.session is not None
    assert (again.session.session_id, again.session.user_id, again.session.refresh_hash) == (108, 7, (8).to_bytes(32))
    live = select(SESSION.c.session_id).where(SESSION.c.revoked_time == 0)
    assert connection.scalars(live).all() == [108]


def test_another_installation_or_operation_makes_another_user(connection: Connection) -> None:
    create_user(connection, new(7, handle="", operation=1), now=10)
    assert create_user(connection, new(8, handle="", operation=2), now=10).user.user_id == 8
    assert create_user(connection, new(9, handle="", operation=1, device_id="tablet"), now=10).user.user_id == 9


def test_the_same_operation_with_other_content_is_a_conflict(connection: Connection) -> None:
    create_user(connection, new(7, operation=1), now=10)
    assert refusal(connection, new(8, operation=1, digest=b"x" * 16)) is error_table.CONFLICT


def test_an_invite_is_spent_once_for_repeated_requests(connection: Connection) -> None:
    create_invite(connection, "tea", uses=1, expire_time=0, now=1)
    for user_id in (7, 8):
        create_user(connection, new(user_id, operation=1, invite_code="tea"), now=10)
    with pytest.raises(ImError):
        spend_invite(connection, "tea", now=10)


def test_a_bad_invite_makes_no_user(connection: Connection) -> None:
    assert refusal(connection, new(invite_code="tea")) is error_table.INVITE_INVALID
    assert find_user_by_handle(connection, "ada") is None


def test_a_failed_request_is_not_remembered(engine: Engine) -> None:
    with engine.begin() as connection:
        create_user(connection, new(7), now=10)
    with pytest.raises(ImError), engine.begin() as connection:
        create_user(connection, new(8, operation=1, device_id="other"), now=10)
    with engine.begin() as connection:
        assert connection.scalar(select(func.count()).select_from(ENTRY_ACCOUNT)) == 0


def test_one_of_many_who_want_a_handle_at_once_gets_it(engine: Engine) -> None:
    def register(user_id: int) -> error_table.Reason | None:
        try:
            with engine.begin() as connection:
                create_user(connection, new(user_id, device_id=f"d{user_id}"), now=10)
        except ImError as error:
            return error.reason
        return None

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(register, range(1, 9)))
    assert outcomes.count(None) == 1
    assert outcomes.count(error_table.HANDLE_TAKEN) == 7


def test_one_request_that_comes_many_times_at_once_makes_one_user(engine: Engine) -> None:
    def register(user_id: int) -> CreatedUser:
        with engine.begin() as connection:
            return create_user(connection, new(user_id, operation=1), now=10)

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(register, range(1, 9)))
    assert len({one.user.user_id for one in made}) == 1
    assert [one.duplicate for one in made].count(False) == 1
