"""One-time tickets."""

import asyncio
from typing import Any

import pytest

from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_logic.accounts.model import Installation


async def test_a_ticket_stands_for_its_session_once(
    people: Any, phone: Installation, accounts: Any, as_caller: Any, refused: Any, clock: ManualClock
) -> None:
    grant = await people.register(phone)
    ticket, expire_time = await accounts.tickets.create(as_caller(grant))
    assert expire_time == clock.now_ms() + 30_000
    claims = await accounts.tickets.redeem(ticket)
    assert (claims.user_id, claims.session_id, claims.generation) == (grant.user.user_id, grant.session_id, 1)
    assert (claims.device_id, claims.device_class, claims.user_kind) == (phone.device_id, 1, 2)
    with refused(error_table.TICKET_INVALID):
        await accounts.tickets.redeem(ticket)


async def test_of_two_that_redeem_at_once_one_gets_it(
    people: Any, phone: Installation, accounts: Any, as_caller: Any
) -> None:
    ticket, _ = await accounts.tickets.create(as_caller(await people.register(phone)))
    results = await asyncio.gather(*(accounts.tickets.redeem(ticket) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(result, ImError) for result in results) == 1


async def test_a_ticket_dies_after_30_s(
    people: Any, phone: Installation, accounts: Any, as_caller: Any, refused: Any, clock: ManualClock
) -> None:
    ticket, _ = await accounts.tickets.create(as_caller(await people.register(phone)))
    clock.advance(31)
    with refused(error_table.TICKET_INVALID):
        await accounts.tickets.redeem(ticket)


@pytest.mark.parametrize("ticket", ["", "t1.", "t1.AAAA", "t1.###", "x1." + "A" * 43, "t1." + "A" * 43])
async def test_what_is_no_ticket_is_refused(accounts: Any, refused: Any, ticket: str) -> None:
    with refused(error_table.TICKET_INVALID):
        await accounts.tickets.redeem(ticket)


async def test_an_ended_session_gets_none(
    people: Any, phone: Installation, accounts: Any, as_caller: Any, refused: Any
) -> None:
    grant = await people.register(phone)
    await accounts.end_sessions.logout(as_caller(grant), everywhere=False)
    with refused(error_table.SESSION_REVOKED):
        await accounts.tickets.create(as_caller(grant))
