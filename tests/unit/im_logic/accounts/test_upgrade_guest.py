"""A guest becomes a registered account."""

from typing import Any
from uuid import UUID

from im_infra import error_table
from im_logic.accounts.model import Caller, Grant, Installation, UserKind
from im_logic.accounts.servicer import Operations

OPERATION = str(UUID(int=1, version=4))


async def upgrade(
    accounts: Operations, caller: Caller, *, handle: str = "zoe", operation_id: str = "", invite_code: str = ""
) -> Grant:
    return await accounts.upgrade_guest.upgrade(
        caller,
        handle=handle,
        password="correct horse",
        display_name="",
        invite_code=invite_code,
        operation_id=operation_id,
    )


async def test_the_id_the_session_and_the_name_stay(
    people: Any, phone: Installation, accounts: Any, as_caller: Any
) -> None:
    guest = await people.guest(phone, display_name="Zoe")
    grant = await upgrade(accounts, as_caller(guest))
    assert (grant.user.user_id, grant.session_id) == (guest.user.user_id, guest.session_id)
    assert (grant.user.handle, grant.user.display_name, grant.user.kind) == ("zoe", "Zoe", UserKind.REGISTERED)
    await accounts.refresh.refresh(grant.refresh.text)
    assert (await people.login(phone, handle="zoe")).user.user_id == guest.user.user_id


async def test_the_same_operation_again_answers_fresh_tokens(
    people: Any, phone: Installation, accounts: Any, as_caller: Any
) -> None:
    guest = await people.guest(phone)
    await upgrade(accounts, as_caller(guest), operation_id=OPERATION)
    again = await upgrade(accounts, as_caller(guest), operation_id=OPERATION)
    assert again.user.handle == "zoe"
    await accounts.refresh.refresh(again.refresh.text)


async def test_only_a_guest_is_upgraded(
    people: Any, phone: Installation, accounts: Any, as_caller: Any, refused: Any
) -> None:
    grant = await people.register(phone)
    with refused(error_table.PERMISSION_DENIED):
        await upgrade(accounts, as_caller(grant))
    with refused(error_table.PERMISSION_DENIED):
        await upgrade(accounts, as_caller(grant), operation_id=OPERATION)


async def test_a_taken_handle_leaves_the_guest_a_guest(
    people: Any, phone: Installation, browser: Installation, accounts: Any, as_caller: Any, refused: Any
) -> None:
    await people.register(browser)
    guest = await people.guest(phone)
    with refused(error_table.HANDLE_TAKEN):
        await upgrade(accounts, as_caller(guest), handle="alice")
    assert (await accounts.refresh.refresh(guest.refresh.text)).user.kind == UserKind.GUEST


async def test_where_registration_is_closed_guests_stay_guests(
    wire: Any, people: Any, phone: Installation, as_caller: Any, refused: Any
) -> None:
    guest = await people.guest(phone)
    with refused(error_table.REGISTRATION_CLOSED):
        await upgrade(wire(registration="closed"), as_caller(guest))
    with refused(error_table.INVITE_INVALID):
        await upgrade(wire(registration="invite"), as_caller(guest))
