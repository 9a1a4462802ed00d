"""Records that fail, that wait for something, that take the process with them; and how much may wait."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from im_infra import error_table
from im_infra.bus.abstract import Record
from im_infra.errors import ImError
from tests.integration.im_infra.bus.conftest import OpenBus, Taken, until

TOPIC = "im.fanout"
VICTIM = Path(__file__).with_name("victim.py")


async def test_a_poisonous_record_holds_its_partition_up_for_seconds(
    kafka_address: str, open_kafka_bus: OpenBus
) -> None:
    """With the waits of production: what comes behind goes on within 10 s, other partitions at once."""
    bus = await open_kafka_bus(kafka_address, bus={"max_tries": 3})
    taken = Taken(poison={b"poison"})
    others = [b"other-%d" % number for number in range(8)]
    async with bus.consume(TOPIC, group="task", handler=taken.by("one")):
        await bus.publish(TOPIC, key=b"k", value=b"poison")
        started = time.monotonic()
        await bus.publish(TOPIC, key=b"k", value=b"behind")
        for other in others:
            await bus.publish(TOPIC, key=other, value=other)
        while len(set(taken.values()) & set(others)) < 4:
            await asyncio.sleep(0.005)
        assert b"behind" not in taken.values()
        await taken.until({b"behind", *others}, seconds=10)
        assert time.monotonic() - started < 10
        (letter,) = await bus.dead_letters()
        assert (letter.record.value, letter.record.attempts) == (b"poison", 3)
        taken.poison.clear()
        assert await bus.redrive(letter.dead_letter_id)
        await taken.until({b"poison"})


async def test_what_waits_for_something_is_not_given_up(kafka_address: str, open_kafka_bus: OpenBus) -> None:
    """A retryable error is no fault of the record: it is handed out until what it needs is back."""
    bus = await open_kafka_bus(kafka_address)
    handed = 0

    async def handler(records: Sequence[Record]) -> None:
        nonlocal handed
        handed += 1
        if handed < 8:
            raise ImError(error_table.UNAVAILABLE, "the route store is away")

    async with bus.consume(TOPIC, group="task", handler=handler):
        await bus.publish(TOPIC, key=b"k", value=b"1")

        async def handed_often() -> bool:
            return handed >= 8

        await until(handed_often)
    assert await bus.dead_letters() == []


async def test_a_record_that_kills_the_process_is_given_up(kafka_address: str, open_kafka_bus: OpenBus) -> None:
    """Real processes, SIGKILL in the middle of a batch: the sixth one at the latest lives, and lost nothing."""
    bus = await open_kafka_bus(kafka_address)
    values = [b"%d" % number for number in range(60)]
    values[20] = b"kill"
    for value in values:
        await bus.publish(TOPIC, key=b"k", value=value)
    prefix = bus._settings.kafka.topic_prefix
    deaths = 0
    while True:
        victim = await asyncio.to_thread(
            subprocess.run, [sys.executable, str(VICTIM), kafka_address, prefix, TOPIC], capture_output=True, timeout=60
        )
        if victim.returncode == 0:
            break
        assert victim.returncode == -9, victim.stderr.decode()
        deaths += 1
        assert deaths <= 5
    assert deaths >= 3
    (letter,) = await bus.dead_letters()
    assert letter.record.value == b"kill"
    assert letter.record.attempts == 3
    assert "the process ended each time" in letter.error
    assert victim.stdout.split()[-1] == values[-1]


async def test_after_a_kill_a_backlog_goes_in_batches(kafka_address: str, open_kafka_bus: OpenBus) -> None:
    """A commit before each record would hold a busy conversation up for seconds, for a death that is no record's fault."""
    bus = await open_kafka_bus(kafka_address, node_id="task-1")
    values = [b"%d" % number for number in range(60, 560)]
    prefix = bus._settings.kafka.topic_prefix
    await bus.publish(TOPIC, key=b"k", value=b"0")
    victim = await asyncio.create_subprocess_exec(
        sys.executable, str(VICTIM), kafka_address, prefix, TOPIC, stdout=asyncio.subprocess.PIPE
    )
    assert victim.stdout is not None
    async with asyncio.timeout(30):
        while await victim.stdout.readline() != b"0\n":
            pass
    victim.kill()
    await victim.wait()
    for value in values:
        await bus.publish(TOPIC, key=b"k", value=value)
    batches: list[list[bytes]] = []

    async def handler(records: Sequence[Record]) -> None:
        batches.append([record.value for record in records])

    async def all_taken() -> bool:
        return bool(batches) and batches[-1][-1] == values[-1]

    async with bus.consume(TOPIC, group="task", handler=handler):
        await until(all_taken)
    taken = [value for batch in batches for value in batch]
    assert [value for value in taken if value != b"0"] == values
    assert len(batches) <= 30


async def test_a_slow_handler_holds_the_brokers_back(kafka_address: str, open_kafka_bus: OpenBus) -> None:
    """What is fetched and waits is bounded, and everything comes when it goes on."""
    bus = await open_kafka_bus(kafka_address, partitions=1)
    value, count = b"x" * 64 * 1024, 150
    open_, taken = asyncio.Event(), 0

    async def handler(records: Sequence[Record]) -> None:
        nonlocal taken
        await open_.wait()
        taken += len(records)

    await asyncio.gather(*(bus.publish(TOPIC, key=b"k", value=value) for _ in range(count)))
    async with bus.consume(TOPIC, group="task", handler=handler, max_records=10):
        (member,) = bus.members
        most = 0
        for _ in range(100):
            await asyncio.sleep(0.01)
            most = max(most, member.waiting)
        told = bus._metrics.render().decode()
        assert f'im_bus_fetched_items{{topic="{TOPIC}"}} {float(member.waiting)}' in told
        assert f'im_bus_lag_items{{topic="{TOPIC}"}} {float(count)}' in told
        assert f'im_bus_partitions{{topic="{TOPIC}"}} 1.0' in told
        assert 10 <= most <= 10 + 2 * 2 * 16 + 16, "two MiB, and what a fetch brings besides"
        open_.set()

        async def all_taken() -> bool:
            return taken == count

        await until(all_taken)
        assert member.lag == 0


async def test_a_full_buffer_is_told(kafka_address: str, open_kafka_bus: OpenBus) -> None:
    bus = await open_kafka_bus(kafka_address, bus={"max_waiting": 5})
    await bus.publish(TOPIC, key=b"k", value=b"0")
    outcomes = await asyncio.gather(
        *(bus.publish(TOPIC, key=b"k", value=b"1") for _ in range(9)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert [error.reason for error in refused if isinstance(error, ImError)] == [error_table.OVERLOADED] * 4


@pytest.mark.parametrize("value", [b"", b"x" * (1024 * 1024 - 1)])
async def test_the_smallest_and_the_largest_record_pass(
    kafka_address: str, open_kafka_bus: OpenBus, value: bytes
) -> None:
    """Through the dead letters too, which carry more with them."""
    bus = await open_kafka_bus(kafka_address)
    taken = Taken(poison={value})
    async with bus.consume(TOPIC, group="task", handler=taken.by("one")):
        await bus.publish(TOPIC, key=b"k", value=value, headers={"trace": "x" * 1_000})

        async def dead() -> bool:
            return [letter.record.value for letter in await bus.dead_letters()] == [value]

        await until(dead)
        with pytest.raises(ValueError, match="at most"):
            await bus.publish(TOPIC, key=b"k", value=value + b"x" * 1024 * 1024)
