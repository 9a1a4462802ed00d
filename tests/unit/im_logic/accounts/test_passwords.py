"""Argon2id in its threads."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_logic.accounts.passwords import Argon2Passwords
from im_logic.settings import PasswordSettings

CHEAP = PasswordSettings(time_cost=1, memory_kib=8, concurrency=1, max_waiting=1)


@pytest.fixture
def passwords() -> Iterator[Argon2Passwords]:
    with Argon2Passwords(CHEAP, Metrics(), random=bytes) as made:
        yield made


async def test_a_password_matches_its_own_hash_only(passwords: Argon2Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "correct house")


async def test_nobodys_hash_is_never_matched_and_costs_as_much(passwords: Argon2Passwords) -> None:
    assert not await passwords.verify("", "")
    own = (await passwords.hash("x")).split("$")
    assert passwords._nobodys.split("$")[:4] == own[:4]
    assert [len(part) for part in passwords._nobodys.split("$")] == [len(part) for part in own]


async def test_a_broken_hash_in_the_database_matches_nothing(passwords: Argon2Passwords) -> None:
    assert not await passwords.verify("not a hash", "x")


async def test_beyond_the_bound_hashes_are_refused_at_once(
    passwords: Argon2Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    real = passwords._timed

    def gated(work: Callable[[], object]) -> object:
        gate.wait(5)
        return real(work)

    monkeypatch.setattr(passwords, "_timed", gated)
    under_way = [asyncio.create_task(passwords.hash("x")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ImError) as caught:
        await passwords.hash("x")
    assert caught.value.reason is error_table.OVERLOADED
    assert caught.value.retry_after_ms > 0
    gate.set()
    await asyncio.gather(*under_way)
    await passwords.hash("x")


async def test_a_cancelled_hash_gives_its_place_back_when_its_thread_ends(passwords: Argon2Passwords) -> None:
    for _ in range(5):
        waiting = [asyncio.create_task(passwords.hash("x")) for _ in range(2)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        async with asyncio.timeout(5):
            while passwords._places < 2:
                await asyncio.sleep(0.001)
    assert await passwords.hash("x")
