"""A new password."""

from typing import Any

from im_infra import error_table
from im_infra.error_table import CloseCode
from im_logic.accounts.model import Installation


async def test_the_other_sessions_end_and_the_calling_one_gets_fresh_tokens(
    people: Any, phone: Installation, browser: Installation, accounts: Any, as_caller: Any, sockets: Any, refused: Any
) -> None:
    other = await people.register(phone)
    grant = await people.login(browser)
    fresh = await accounts.change_password.change(as_caller(grant), current="correct horse", new="battery staple")
    assert sockets.closed == [(other.session_id, CloseCode.SESSION_REVOKED)]
    assert fresh.session_id == grant.session_id
    with refused(error_table.TOKEN_EXPIRED):
        await accounts.check_session.standing(grant.user.user_id, grant.session_id, generation=1)
    await accounts.check_session.standing(grant.user.user_id, grant.session_id, generation=2)
    with refused(error_table.CREDENTIALS_WRONG):
        await people.login(phone)
    await people.login(phone, password="battery staple")


async def test_the_current_password_must_be_right(
    people: Any, phone: Installation, accounts: Any, as_caller: Any, refused: Any, sockets: Any
) -> None:
    grant = await people.register(phone)
    with refused(error_table.CREDENTIALS_WRONG):
        await accounts.change_password.change(as_caller(grant), current="wrong horse", new="battery staple")
    with refused(error_table.CREDENTIALS_WRONG):
        await accounts.change_password.change(as_caller(grant), current="x" * 300, new="battery staple")
    assert sockets.closed == []


async def test_a_weak_new_password_is_refused_before_anything_is_hashed(
    people: Any, phone: Installation, accounts: Any, as_caller: Any, refused: Any, passwords: Any
) -> None:
    grant = await people.register(phone)
    passwords.verified.clear()
    with refused(error_table.PASSWORD_WEAK):
        await accounts.change_password.change(as_caller(grant), current="correct horse", new="short")
    assert passwords.verified == []


async def test_a_guest_has_none_to_change(
    people: Any, phone: Installation, accounts: Any, as_caller: Any, refused: Any
) -> None:
    grant = await people.guest(phone)
    with refused(error_table.PERMISSION_DENIED):
        await accounts.change_password.change(as_caller(grant), current="", new="battery staple")


async def test_tries_count_together_with_logins(
    wire: Any, people: Any, phone: Installation, as_caller: Any, refused: Any
) -> None:
    accounts = people.accounts = wire(password_tries_per_minute=2)
    grant = await people.register(phone)
    await people.login(phone)
    grant = await people.login(phone)
    with refused(error_table.RATE_LIMITED):
        await accounts.change_password.change(as_caller(grant), current="correct horse", new="battery staple")
