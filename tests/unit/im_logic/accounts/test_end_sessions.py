"""Ending sessions."""

from typing import Any

from im_infra import error_table
from im_infra.error_table import CloseCode
from im_logic.accounts.model import Installation


async def test_a_logout_ends_the_calling_session_only(
    people: Any, phone: Installation, browser: Installation, accounts: Any, as_caller: Any, sockets: Any
) -> None:
    await people.register(phone)
    grant = await people.login(browser)
    await accounts.end_sessions.logout(as_caller(grant), everywhere=False)
    assert sockets.closed == [(grant.session_id, CloseCode.SESSION_REVOKED)]
    left = await accounts.end_sessions.list_devices(as_caller(grant))
    assert [session.installation.device_id for session in left] == [phone.device_id]
    await accounts.end_sessions.logout(as_caller(grant), everywhere=False)


async def test_a_logout_everywhere_ends_them_all(
    people: Any, phone: Installation, browser: Installation, accounts: Any, as_caller: Any, sockets: Any
) -> None:
    await people.register(phone)
    grant = await people.login(browser)
    await accounts.end_sessions.logout(as_caller(grant), everywhere=True)
    assert len(sockets.closed) == 2
    assert await accounts.end_sessions.list_devices(as_caller(grant)) == []


async def test_another_session_of_ones_own_is_revoked(
    people: Any, phone: Installation, browser: Installation, accounts: Any, as_caller: Any, sockets: Any, refused: Any
) -> None:
    other = await people.register(phone)
    grant = await people.login(browser)
    await accounts.end_sessions.revoke(as_caller(grant), other.session_id)
    assert sockets.closed == [(other.session_id, CloseCode.SESSION_REVOKED)]
    with refused(error_table.DEVICE_NOT_FOUND):
        await accounts.end_sessions.revoke(as_caller(grant), other.session_id)


async def test_somebody_elses_session_is_not_found(
    people: Any, phone: Installation, browser: Installation, accounts: Any, as_caller: Any, refused: Any, sockets: Any
) -> None:
    alice = await people.register(phone)
    bob = await people.register(browser, handle="bob")
    with refused(error_table.DEVICE_NOT_FOUND):
        await accounts.end_sessions.revoke(as_caller(bob), alice.session_id)
    assert sockets.closed == []


async def test_the_calling_session_is_not_revoked_but_logged_out(
    people: Any, phone: Installation, accounts: Any, as_caller: Any, refused: Any
) -> None:
    grant = await people.register(phone)
    for session_id in (grant.session_id, 0):
        with refused(error_table.FIELD_INVALID):
            await accounts.end_sessions.revoke(as_caller(grant), session_id)
