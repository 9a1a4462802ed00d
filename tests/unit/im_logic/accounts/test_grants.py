"""Making the tokens of a session."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.token_keys import TokenKeys
from im_logic.accounts.grants import Grants
from im_logic.accounts.model import Installation
from im_logic.accounts.repo_store import RepoAccountStore
from im_logic.accounts.tokens import AccessTokens


@pytest.fixture
def grants(store: RepoAccountStore, clock: ManualClock, random: Callable[[int], bytes]) -> Grants:
    access_tokens = AccessTokens(TokenKeys({"k1": SecretStr("k" * 32)}, active="k1"), ttl_s=900)
    return Grants(store, access_tokens, refresh_ttl_s=3_600, key=b"r" * 32, clock=clock, random=random)


async def test_a_reissued_pair_replaces_the_one_before(
    grants: Grants, people: Any, phone: Installation, accounts: Any, refused: Any
) -> None:
    first = await people.register(phone)
    again = await grants.reissue(first.session_id)
    with refused(error_table.UNAUTHENTICATED):
        await accounts.refresh.refresh(first.refresh.text)
    await accounts.refresh.refresh(again.refresh.text)


async def test_reissuing_against_refreshing_ends_no_session(
    grants: Grants, people: Any, phone: Installation, accounts: Any
) -> None:
    """Whoever loses the race is refused or tries again; nothing looks like a stolen token."""
    first = await people.register(phone)
    results = await asyncio.gather(
        grants.reissue(first.session_id),
        accounts.refresh.refresh(first.refresh.text),
        grants.reissue(first.session_id),
        return_exceptions=True,
    )
    assert any(not isinstance(result, BaseException) for result in results)
    await grants.reissue(first.session_id)


async def test_an_ended_session_gets_no_tokens(
    grants: Grants, people: Any, phone: Installation, accounts: Any, as_caller: Any, refused: Any
) -> None:
    grant = await people.register(phone)
    await accounts.end_sessions.logout(as_caller(grant), everywhere=False)
    for session_id in (grant.session_id, 1):
        with refused(error_table.SESSION_REVOKED):
            await grants.reissue(session_id)
