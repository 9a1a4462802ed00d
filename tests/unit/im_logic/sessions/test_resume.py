"""Resume tokens: each works once."""

import asyncio
import hashlib
import itertools
from collections.abc import Callable, Sequence

import pytest

from im_infra import error_table
from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_logic.accounts.claims import Claims
from im_logic.sessions.resume import ResumeTokens

CLAIMS = Claims(1, 2, 3, 2, "device-01", 4, 9)


def counting() -> Callable[[int], bytes]:
    numbers = itertools.count(1)
    return lambda size: hashlib.shake_128(b"%d" % next(numbers)).digest(size)


class LostCache(MemoryCache):
    """A cache that is away."""

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        raise ImError(error_table.UNAVAILABLE)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens(clock: ManualClock) -> ResumeTokens:
    return ResumeTokens(MemoryCache(clock), ttl_s=600, random=counting())


async def refused(tokens: ResumeTokens, token: str) -> None:
    with pytest.raises(ImError) as caught:
        await tokens.redeem(token)
    assert caught.value.reason is error_table.RESUME_INVALID


async def test_a_chain_goes_on_and_every_token_works_once(tokens: ResumeTokens) -> None:
    token = await tokens.begin(CLAIMS, instance_id="tab")
    for _ in range(3):
        resumed = await tokens.redeem(token)
        assert resumed.claims == CLAIMS
        assert resumed.instance_id == "tab"
        await refused(tokens, token)
        token = resumed.next_token


async def test_of_two_at_once_one_gets_it(tokens: ResumeTokens) -> None:
    token = await tokens.begin(CLAIMS, instance_id="tab")
    results = await asyncio.gather(tokens.redeem(token), tokens.redeem(token), return_exceptions=True)
    assert sum(isinstance(result, ImError) for result in results) == 1


async def test_a_token_dies_after_its_time(tokens: ResumeTokens, clock: ManualClock) -> None:
    token = await tokens.begin(CLAIMS, instance_id="tab")
    clock.advance(601)
    await refused(tokens, token)


async def test_two_tabs_of_a_session_do_not_spend_each_others(tokens: ResumeTokens) -> None:
    one = await tokens.begin(CLAIMS, instance_id="one")
    other = await tokens.begin(CLAIMS, instance_id="other")
    assert (await tokens.redeem(one)).instance_id == "one"
    assert (await tokens.redeem(other)).instance_id == "other"


async def test_another_secret_or_counter_is_refused_and_spends_nothing(tokens: ResumeTokens) -> None:
    token = await tokens.begin(CLAIMS, instance_id="tab")
    prefix, session, chain, counter, secret = token.split(".")
    for forged in (
        f"{prefix}.{session}.{chain}.2.{secret}",
        ".".join((prefix, session, chain, counter, "A" * 43)),
        f"{prefix}.3.{chain}.{counter}.{secret}",
        f"{prefix}.{session}.AAAA.{counter}.{secret}",
        "s1.1",
        "s1...." + secret,
        "x" * 300,
        "",
    ):
        await refused(tokens, forged)
    await tokens.redeem(token)


async def test_an_unreachable_cache_answers_that_the_token_does_not_help(clock: ManualClock) -> None:
    tokens = ResumeTokens(LostCache(clock), ttl_s=600, random=counting())
    await refused(tokens, await tokens.begin(CLAIMS, instance_id="tab"))
