"""Consumers that share a topic: they come, go and die, and nothing is lost or overtaken."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import pairwise

from im_infra.bus.abstract import Record
from tests.integration.im_infra.bus.conftest import OpenBus, Taken, first_seen, until

TOPIC = "im.push"
KEYS = [b"key-%d" % number for number in range(12)]


async def test_members_come_and_go_and_each_key_keeps_its_order(kafka_address: str, open_kafka_bus: OpenBus) -> None:
    """Records are published all the while; repeats are allowed where a member went, going back is not."""
    publisher = await open_kafka_bus(kafka_address)
    buses = [await open_kafka_bus(kafka_address) for _ in range(3)]
    taken, published = Taken(), {key: [] for key in KEYS}
    chance = random.Random(7)
    done = asyncio.Event()

    async def publish() -> None:
        number = 0
        while not done.is_set():
            key = chance.choice(KEYS)
            published[key].append(b"%d" % number)
            await publisher.publish(TOPIC, key=key, value=published[key][-1])
            number += 1

    publishing = asyncio.create_task(publish())
    async with AsyncExitStack() as lasting:
        await lasting.enter_async_context(buses[0].consume(TOPIC, group="task", handler=taken.by("lasting")))
        for name, bus in (("second", buses[1]), ("third", buses[2]), ("fourth", buses[1])):
            before = len(taken.effects)
            async with bus.consume(TOPIC, group="task", handler=taken.by(name), max_records=5):

                async def both(name: str = name, before: int = before) -> bool:
                    return {consumer for consumer, _, _ in taken.effects[before:]} >= {"lasting", name}

                await until(both)
        done.set()
        await publishing
        for key in KEYS:
            await taken.until(set(published[key]))
    for key in KEYS:
        assert first_seen(taken.values(key)) == published[key]


async def test_a_dead_members_records_go_to_the_others(kafka_address: str, open_kafka_bus: OpenBus) -> None:
    """Within the session timeout and a moment, from where its effects ended."""
    buses = [await open_kafka_bus(kafka_address) for _ in range(2)]
    taken = Taken()
    stuck = asyncio.Event()

    async def dies(records: Sequence[Record]) -> None:
        stuck.set()
        await asyncio.Event().wait()

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(buses[0].consume(TOPIC, group="task", handler=taken.by("living")))
        await stack.enter_async_context(buses[1].consume(TOPIC, group="task", handler=dies))
        number = 0
        while not stuck.is_set():
            for key in KEYS:
                await buses[0].publish(TOPIC, key=key, value=b"%d" % number)
                number += 1
        await stack.aclose()  # its handler is cancelled, and its records are not committed
        async with buses[0].consume(TOPIC, group="task", handler=taken.by("living")):
            await taken.until({b"%d" % one for one in range(number)})
    for key in KEYS:
        values = [int(value) for value in first_seen(taken.values(key))]
        assert all(one < two for one, two in pairwise(values))


async def test_a_member_with_a_name_finds_its_share_again(kafka_address: str, open_kafka_bus: OpenBus) -> None:
    """Nobody else's partitions move while it restarts, and its records wait for it."""
    first = await open_kafka_bus(kafka_address, node_id="task-1", session_timeout_s=20)
    second = await open_kafka_bus(kafka_address, node_id="task-2", session_timeout_s=20)
    taken = Taken()

    async def owners(since: int) -> dict[bytes, str]:
        return {key: consumer for consumer, key, _ in taken.effects[since:]}

    async def publish(number: int) -> None:
        for key in KEYS:
            await first.publish(TOPIC, key=key, value=b"%d-%s" % (number, key))

    async with first.consume(TOPIC, group="task", handler=taken.by("first")):
        async with second.consume(TOPIC, group="task", handler=taken.by("second")):

            async def shared() -> bool:
                since = len(taken.effects)
                await publish(0)
                await asyncio.sleep(0.2)
                return set((await owners(since)).values()) == {"first", "second"}

            await until(shared)
            since = len(taken.effects)
            await publish(1)
            await taken.until({b"1-" + key for key in KEYS})
            before = await owners(since)
        since = len(taken.effects)
        await publish(2)
        mine = {b"2-" + key for key, owner in before.items() if owner == "first"}
        await taken.until(mine)
        assert set((await owners(since)).values()) == {"first"}
        assert len(taken.effects[since:]) == len(mine), "what is the other's waits for it"
        again = await open_kafka_bus(kafka_address, node_id="task-2", session_timeout_s=20)
        async with again.consume(TOPIC, group="task", handler=taken.by("second")):
            await taken.until({b"2-" + key for key in KEYS}, seconds=10)
            assert await owners(since) == before
