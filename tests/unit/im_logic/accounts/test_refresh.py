"""The next pair of tokens."""

import asyncio
from typing import Any

from im_infra import error_table
from im_infra.error_table import CloseCode
from im_logic.accounts.model import Installation
from im_repo.accounts.change_user import disable_user


async def test_a_token_gives_the_next_which_gives_the_next(people: Any, phone: Installation, accounts: Any) -> None:
    grant = await people.register(phone)
    seen = {grant.refresh.text}
    for _ in range(3):
        grant = await accounts.refresh.refresh(grant.refresh.text)
        seen.add(grant.refresh.text)
    assert len(seen) == 4


async def test_a_lost_answer_is_answered_again_with_the_same_successor(
    people: Any, phone: Installation, accounts: Any
) -> None:
    grant = await people.register(phone)
    first = await accounts.refresh.refresh(grant.refresh.text)
    again = await accounts.refresh.refresh(grant.refresh.text)
    assert again.refresh.text == first.refresh.text
    await accounts.refresh.refresh(first.refresh.text)


async def test_two_tabs_at_once_get_the_same_successor(people: Any, phone: Installation, accounts: Any) -> None:
    grant = await people.register(phone)
    one, other = await asyncio.gather(*(accounts.refresh.refresh(grant.refresh.text) for _ in range(2)))
    assert one.refresh.text == other.refresh.text


async def test_a_token_whose_successor_was_used_ends_the_session_and_its_sockets(
    people: Any, phone: Installation, accounts: Any, refused: Any, sockets: Any
) -> None:
    grant = await people.register(phone)
    second = await accounts.refresh.refresh(grant.refresh.text)
    third = await accounts.refresh.refresh(second.refresh.text)
    with refused(error_table.REFRESH_REUSED):
        await accounts.refresh.refresh(grant.refresh.text)
    assert sockets.closed == [(grant.session_id, CloseCode.SESSION_REVOKED)]
    with refused(error_table.UNAUTHENTICATED):
        await accounts.refresh.refresh(third.refresh.text)


async def test_a_token_of_another_counter_or_secret_ends_nothing(
    people: Any, phone: Installation, accounts: Any, refused: Any
) -> None:
    grant = await people.register(phone)
    for _ in range(3):
        grant = await accounts.refresh.refresh(grant.refresh.text)
    prefix, session, counter, secret, seal = grant.refresh.text.split(".")
    guess = "A" * 43
    for claim in (f"{int(counter) + 1}.{secret}", f"{counter}.{guess}", f"0.{guess}"):
        for forged in (f"{prefix}.{session}.{claim}", f"{prefix}.{session}.{claim}.{seal}"):
            with refused(error_table.UNAUTHENTICATED):
                await accounts.refresh.refresh(forged)
    await accounts.refresh.refresh(grant.refresh.text)


async def test_after_a_new_password_the_old_refresh_token_gives_nothing_and_the_new_one_works(
    people: Any, phone: Installation, accounts: Any, refused: Any, as_caller: Any
) -> None:
    grant = await people.register(phone)
    fresh = await accounts.change_password.change(as_caller(grant), current="correct horse", new="battery staple")
    with refused(error_table.UNAUTHENTICATED):
        await accounts.refresh.refresh(grant.refresh.text)
    await accounts.refresh.refresh(fresh.refresh.text)


async def test_a_displaced_session_is_refreshed_so_that_it_may_ask_for_its_place(
    people: Any, phone: Installation, other_phone: Installation, accounts: Any
) -> None:
    grant = await people.register(phone)
    await people.login(other_phone)
    assert (await accounts.refresh.refresh(grant.refresh.text)).session_id == grant.session_id


async def test_a_disabled_account_is_not_refreshed(
    people: Any, phone: Installation, accounts: Any, refused: Any, database: Any
) -> None:
    grant = await people.register(phone)
    await database.write(lambda connection: disable_user(connection, grant.user.user_id, now=1))
    with refused(error_table.UNAUTHENTICATED):
        await accounts.refresh.refresh(grant.refresh.text)
