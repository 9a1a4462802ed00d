import pytest

from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.routing import InterestTable


@pytest.fixture
def table(clock: ManualClock) -> InterestTable:
    return InterestTable(MemoryCache(clock), clock)


async def gateways(table: InterestTable, conversation_id: int = 1) -> list[tuple[str, str]]:
    return [(interest.gateway_id, interest.boot_id) for interest in (await table.find(conversation_id))[0]]


async def test_nobody_is_interested_at_first(table: InterestTable) -> None:
    assert (await table.find(1))[0] == []


async def test_who_announced_is_found_until_it_withdraws(table: InterestTable) -> None:
    await table.announce(1, gateway_id="g1", boot_id="b1")
    await table.announce(1, gateway_id="g2", boot_id="b1")
    await table.announce(2, gateway_id="g3", boot_id="b1")
    assert sorted(await gateways(table)) == [("g1", "b1"), ("g2", "b1")]
    await table.withdraw(1, gateway_id="g1", boot_id="b1")
    assert await gateways(table) == [("g2", "b1")]
    await table.withdraw(1, gateway_id="g2", boot_id="b1")
    assert await gateways(table) == []


async def test_a_newer_boot_replaces_the_older(table: InterestTable) -> None:
    await table.announce(1, gateway_id="g1", boot_id="b1")
    await table.announce(1, gateway_id="g1", boot_id="b2")
    assert await gateways(table) == [("g1", "b2")]


async def test_an_older_boot_cannot_withdraw_the_newer(table: InterestTable) -> None:
    await table.announce(1, gateway_id="g1", boot_id="b2")
    await table.withdraw(1, gateway_id="g1", boot_id="b1")
    assert await gateways(table) == [("g1", "b2")]


async def test_it_ends_after_180_s_unless_announced_again(table: InterestTable, clock: ManualClock) -> None:
    await table.announce(1, gateway_id="g1", boot_id="b1")
    await table.announce(1, gateway_id="g2", boot_id="b1")
    clock.advance(120)
    await table.announce(1, gateway_id="g1", boot_id="b1")
    clock.advance(61)
    assert await gateways(table) == [("g1", "b1")]


async def test_withdrawing_what_is_not_there_changes_nothing(table: InterestTable) -> None:
    await table.withdraw(1, gateway_id="g1", boot_id="b1")
    assert await gateways(table) == []
