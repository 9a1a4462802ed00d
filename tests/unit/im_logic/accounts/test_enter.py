"""The ways in."""

from typing import Any
from uuid import UUID

import pytest

from im_infra import error_table
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_logic.accounts.enter import digest_of
from im_logic.accounts.model import Installation, UserKind
from im_repo.accounts.change_user import disable_user
from im_repo.accounts.invites import create_invite

OPERATION = str(UUID(int=1, version=4))


async def test_a_registered_account_is_logged_in(people: Any, phone: Installation, accounts: Any) -> None:
    grant = await people.register(phone, handle="Alice")
    assert (grant.user.handle, grant.user.display_name, grant.user.kind) == ("alice", "alice", UserKind.REGISTERED)
    await accounts.check_session.standing(grant.user.user_id, grant.session_id, generation=1)
    assert (await accounts.refresh.refresh(grant.refresh.text)).session_id == grant.session_id


async def test_a_handle_is_taken_once_in_any_case(people: Any, phone: Installation, refused: Any) -> None:
    await people.register(phone)
    with refused(error_table.HANDLE_TAKEN):
        await people.register(phone, handle="ALICE")


async def test_a_repeated_registration_answers_the_same_account_with_new_tokens(
    people: Any, phone: Installation
) -> None:
    first = await people.register(phone, operation_id=OPERATION)
    again = await people.register(phone, operation_id=OPERATION)
    assert again.user == first.user
    assert again.refresh != first.refresh


async def test_a_repeated_registration_with_another_password_gets_nothing(
    people: Any, phone: Installation, refused: Any, accounts: Any, as_caller: Any
) -> None:
    grant = await people.register(phone, operation_id=OPERATION)
    with refused(error_table.CONFLICT):
        await people.register(phone, operation_id=OPERATION, password="another horse")
    assert await accounts.end_sessions.list_devices(as_caller(grant)) == []


async def test_a_repeated_operation_that_asks_for_another_account_is_a_conflict(
    people: Any, phone: Installation, refused: Any
) -> None:
    await people.register(phone, operation_id=OPERATION)
    with refused(error_table.CONFLICT):
        await people.register(phone, operation_id=OPERATION, handle="bob")


async def test_a_closed_server_registers_nobody_and_hashes_nothing(
    wire: Any, people: Any, phone: Installation, refused: Any, passwords: Any
) -> None:
    people.accounts = wire(registration="closed")
    with refused(error_table.REGISTRATION_CLOSED):
        await people.register(phone)
    assert passwords.hashed == 0


async def test_an_invite_is_spent_by_the_account_it_made(
    wire: Any, people: Any, phone: Installation, refused: Any, database: Any
) -> None:
    people.accounts = wire(registration="invite")
    await database.write(lambda connection: create_invite(connection, "welcome", uses=1, expire_time=0, now=1))
    with refused(error_table.INVITE_INVALID):
        await people.register(phone)
    with refused(error_table.INVITE_INVALID):
        await people.register(phone, invite_code="unknown")
    await people.register(phone, invite_code="welcome", operation_id=OPERATION)
    await people.register(phone, invite_code="welcome", operation_id=OPERATION)
    with refused(error_table.INVITE_INVALID):
        await people.register(phone, handle="bob", invite_code="welcome")


async def test_a_guest_gets_a_made_up_name_or_their_own(people: Any, phone: Installation) -> None:
    made_up, own = await people.guest(phone), await people.guest(phone, display_name=" Zoe ")
    assert made_up.user.display_name.startswith("Guest ")
    assert own.user.display_name == "Zoe"
    assert (own.user.kind, own.user.handle) == (UserKind.GUEST, "")


async def test_a_repeated_guest_is_the_same_one(people: Any, phone: Installation) -> None:
    first = await people.guest(phone, operation_id=OPERATION)
    assert (await people.guest(phone, operation_id=OPERATION)).user == first.user


async def test_where_guests_are_off_there_are_none(wire: Any, people: Any, phone: Installation, refused: Any) -> None:
    people.accounts = wire(guests=False)
    with refused(error_table.REGISTRATION_CLOSED):
        await people.guest(phone)


async def test_a_login_needs_the_right_password(people: Any, phone: Installation, refused: Any) -> None:
    registered = await people.register(phone)
    assert (await people.login(phone, handle="@ALICE")).user.user_id == registered.user.user_id
    with refused(error_table.CREDENTIALS_WRONG):
        await people.login(phone, password="wrong horse")


@pytest.mark.parametrize(
    ("handle", "password"),
    [("nobody", "correct horse"), ("no handle!", "correct horse"), ("alice", "wrong"), ("alice", "x" * 300), ("", "")],
)
async def test_every_wrong_login_costs_one_hash_and_answers_alike(
    people: Any, phone: Installation, refused: Any, passwords: Any, handle: str, password: str
) -> None:
    await people.register(phone)
    passwords.verified.clear()
    with refused(error_table.CREDENTIALS_WRONG):
        await people.login(phone, handle=handle, password=password)
    assert len(passwords.verified) == 1


async def test_a_disabled_account_is_told_only_to_who_knows_its_password(
    people: Any, phone: Installation, refused: Any, database: Any
) -> None:
    grant = await people.register(phone, operation_id=OPERATION)
    await database.write(lambda connection: disable_user(connection, grant.user.user_id, now=1))
    with refused(error_table.ACCOUNT_DISABLED):
        await people.login(phone)
    with refused(error_table.CREDENTIALS_WRONG):
        await people.login(phone, password="wrong horse")
    with refused(error_table.ACCOUNT_DISABLED):
        await people.register(phone, operation_id=OPERATION)


async def test_the_eleventh_password_within_a_minute_is_not_even_checked(
    people: Any, phone: Installation, passwords: Any
) -> None:
    await people.register(phone)
    passwords.verified.clear()
    reasons = []
    for _ in range(11):
        with pytest.raises(ImError) as caught:
            await people.login(phone, password="wrong horse")
        reasons.append(caught.value.reason)
    assert reasons == [error_table.CREDENTIALS_WRONG] * 10 + [error_table.RATE_LIMITED]
    assert len(passwords.verified) == 10


async def test_a_login_on_the_same_device_ends_the_session_before(
    people: Any, phone: Installation, refused: Any, sockets: Any, accounts: Any
) -> None:
    first = await people.register(phone)
    await people.login(phone)
    assert sockets.closed == [(first.session_id, CloseCode.REPLACED)]
    with refused(error_table.SESSION_REVOKED):
        await accounts.check_session.standing(first.user.user_id, first.session_id, generation=1)


async def test_a_login_displaces_the_other_phone_which_returns_only_by_a_persons_act(
    people: Any, phone: Installation, other_phone: Installation, refused: Any, sockets: Any, accounts: Any
) -> None:
    first = await people.register(phone)
    second = await people.login(other_phone)
    assert sockets.closed == [(first.session_id, CloseCode.KICKED)]
    with refused(error_table.KICKED):
        await accounts.check_session.standing(first.user.user_id, first.session_id, generation=1)
    with refused(error_table.KICKED):
        await people.login(phone)
    await people.login(phone, take_over=True)
    assert (second.session_id, CloseCode.KICKED) in sockets.closed


async def test_devices_of_other_classes_live_side_by_side(
    people: Any, phone: Installation, browser: Installation, sockets: Any
) -> None:
    await people.register(phone)
    await people.login(browser)
    assert sockets.closed == []


def test_a_digest_tells_its_fields_apart() -> None:
    digests = {digest_of("a", "bc"), digest_of("ab", "c"), digest_of("abc"), digest_of("a", "bc", "")}
    assert len(digests) == 4
    assert {len(digest) for digest in digests} == {16}
