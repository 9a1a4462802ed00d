"""What every bus promises."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from im_infra import error_table
from im_infra.bus.abstract import FANOUT_TOPIC, Bus, DeadLetter, Record
from im_infra.bus.embedded import EmbeddedBus
from im_infra.bus.kafka.bus import KafkaBus
from im_infra.bus.settings import BusSettings, KafkaSettings
from im_infra.bus.tables import BUS_RECORD
from im_infra.clock import SystemClock
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from tests.support.kafka import topic_prefix

PUSH_TOPIC = "im.push"


@dataclass(frozen=True)
class Member:
    """A bus, and what the suite does from outside."""

    bus: Bus
    restarted: Callable[[], Awaitable[Bus]]
    """Another process's bus over the same records."""


@asynccontextmanager
async def embedded(request: pytest.FixtureRequest) -> AsyncIterator[Member]:
    tmp_path: Path = request.getfixturevalue("tmp_path")
    settings = BusSettings(first_backoff_ms=1, poll_interval_ms=20)
    async with open_sqlite(tmp_path / "bus.sqlite3", SqliteSettings(reader_threads=1)) as database:
        await database.write(BUS_RECORD.create)

        async def restarted() -> Bus:
            return EmbeddedBus(database, settings=settings)

        bus = EmbeddedBus(database, settings=settings)
        yield Member(bus, restarted)
        await bus.close()


@asynccontextmanager
async def kafka(request: pytest.FixtureRequest) -> AsyncIterator[Member]:
    reached = KafkaSettings(
        bootstrap_servers=(request.getfixturevalue("kafka_address"),),
        topic_prefix=topic_prefix(),
        partitions=2,
        replication_factor=1,
        min_insync_replicas=1,
    )
    settings = BusSettings(kind="kafka", first_backoff_ms=1, kafka=reached)
    async with AsyncExitStack() as processes:

        async def started() -> Bus:
            return await processes.enter_async_context(KafkaBus(settings, clock=SystemClock(), metrics=Metrics()))

        yield Member(await started(), started)


MEMBERS: dict[str, Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Member]]] = {
    "embedded": embedded,
    "kafka": kafka,
}


@pytest.fixture(params=list(MEMBERS))
async def member(request: pytest.FixtureRequest) -> AsyncIterator[Member]:
    async with MEMBERS[request.param](request) as opened:
        yield opened


@pytest.fixture
def bus(member: Member) -> Bus:
    return member.bus


@dataclass
class Reader:
    """A handler that remembers what took effect, and fails where a test wants it."""

    poison: set[bytes] = field(default_factory=set)
    """Values that always fail."""
    failures: dict[bytes, int] = field(default_factory=dict)
    """Values that fail so many more times."""
    handed: list[Record] = field(default_factory=list)
    effects: list[bytes] = field(default_factory=list)
    largest: int = 0

    async def __call__(self, records: Sequence[Record]) -> None:
        self.handed.extend(records)
        self.largest = max(self.largest, len(records))
        await asyncio.sleep(0)
        for record in records:
            if record.value in self.poison:
                raise ValueError(f"cannot take {record.value!r}")
            if self.failures.get(record.value, 0) > 0:
                self.failures[record.value] -= 1
                raise ValueError("not now")
        self.effects.extend(record.value for record in records)

    async def until(self, *values: bytes) -> None:
        async with asyncio.timeout(10):
            while not set(values) <= set(self.effects):
                await asyncio.sleep(0.002)


async def until_dead(bus: Bus, count: int = 1) -> list[DeadLetter]:
    async with asyncio.timeout(10):
        while len(letters := await bus.dead_letters()) < count:
            await asyncio.sleep(0.002)
    return letters


async def publish(bus: Bus, *values: bytes, topic: str = PUSH_TOPIC, key: bytes = b"k") -> None:
    for value in values:
        await bus.publish(topic, key=key, value=value)


topics = pytest.mark.parametrize("topic", [FANOUT_TOPIC, PUSH_TOPIC])


@topics
async def test_a_record_arrives_as_it_was_published(bus: Bus, topic: str) -> None:
    reader = Reader()
    async with bus.consume(topic, group="task", handler=reader):
        await bus.publish(topic, key=b"\0\xff", value=b"v", headers={"trace": "1"})
        await reader.until(b"v")
    (record,) = reader.handed
    assert (record.topic, record.key, record.value, record.headers) == (topic, b"\0\xff", b"v", {"trace": "1"})
    assert record.attempts == 0


@topics
async def test_records_of_a_key_arrive_in_order(bus: Bus, topic: str) -> None:
    reader = Reader()
    values = [b"%d" % number for number in range(50)]
    async with bus.consume(topic, group="task", handler=reader, max_records=7):
        await publish(bus, *values, topic=topic)
        await reader.until(*values)
    assert reader.effects == values


@topics
async def test_a_handler_gets_at_most_what_it_asked_for(bus: Bus, topic: str) -> None:
    reader = Reader()
    values = [b"%d" % number for number in range(40)]
    async with bus.consume(topic, group="task", handler=reader, max_records=4):
        await asyncio.gather(*(publish(bus, value, topic=topic, key=value) for value in values))
        await reader.until(*values)
    assert 1 <= reader.largest <= 4


@topics
async def test_a_failed_record_is_handed_out_again(bus: Bus, topic: str) -> None:
    reader = Reader(failures={b"1": 2})
    async with bus.consume(topic, group="task", handler=reader):
        await publish(bus, b"1", topic=topic)
        await reader.until(b"1")
    assert [record.attempts for record in reader.handed] == [0, 1, 2]
    assert await bus.dead_letters() == []


@topics
async def test_failing_does_not_change_the_order_of_a_key(bus: Bus, topic: str) -> None:
    reader = Reader(failures={b"2": 2})
    async with bus.consume(topic, group="task", handler=reader):
        await asyncio.gather(*(publish(bus, value, topic=topic) for value in (b"1", b"2", b"3", b"4")))
        await reader.until(b"1", b"2", b"3", b"4")
    assert reader.effects == [b"1", b"2", b"3", b"4"]


@topics
async def test_a_poisonous_record_becomes_a_dead_letter_and_takes_nobody_with_it(bus: Bus, topic: str) -> None:
    reader = Reader(poison={b"bad"})
    async with bus.consume(topic, group="task", handler=reader):
        await asyncio.gather(*(publish(bus, value, topic=topic) for value in (b"1", b"bad", b"2")))
        (letter,) = await until_dead(bus)
        await reader.until(b"1", b"2")
    assert (letter.record.topic, letter.record.key, letter.record.value) == (topic, b"k", b"bad")
    assert letter.record.attempts == 3
    assert letter.error == "ValueError: cannot take b'bad'"
    assert letter.time > 1_700_000_000_000
    assert len([record for record in reader.handed if record.value == b"bad"]) == 3


@topics
async def test_what_a_record_needs_is_waited_for(bus: Bus, topic: str) -> None:
    """A retryable error is not held against it, however often it comes."""
    reader = Reader()
    away = 5

    async def handler(records: Sequence[Record]) -> None:
        nonlocal away
        if away:
            away -= 1
            raise ImError(error_table.UNAVAILABLE)
        await reader(records)

    async with bus.consume(topic, group="task", handler=handler):
        await publish(bus, b"1", topic=topic)
        await reader.until(b"1")
    assert away == 0
    assert await bus.dead_letters() == []


async def test_a_dead_letter_tells_where_it_lay_and_its_headers(bus: Bus) -> None:
    reader = Reader(poison={b"bad"})
    async with bus.consume(PUSH_TOPIC, group="task", handler=reader):
        await bus.publish(PUSH_TOPIC, key=b"k", value=b"bad", headers={"trace": "1"})
        (letter,) = await until_dead(bus)
    assert letter.record.position == reader.handed[0].position != ""
    assert letter.record.headers == {"trace": "1"}


async def test_dead_letters_come_oldest_first_and_limited(bus: Bus) -> None:
    reader = Reader(poison={b"1", b"2", b"3"})
    async with bus.consume(PUSH_TOPIC, group="task", handler=reader):
        await publish(bus, b"1", b"2", b"3")
        await until_dead(bus, 3)
    assert [letter.record.value for letter in await bus.dead_letters(limit=2)] == [b"1", b"2"]


@topics
async def test_a_redriven_record_is_consumed_afresh(bus: Bus, topic: str) -> None:
    reader = Reader(poison={b"bad"})
    async with bus.consume(topic, group="task", handler=reader):
        await publish(bus, b"bad", topic=topic)
        (letter,) = await until_dead(bus)
        reader.poison.clear()
        assert await bus.redrive(letter.dead_letter_id)
        await reader.until(b"bad")
    assert reader.handed[-1].attempts == 0
    assert await bus.dead_letters() == []
    assert not await bus.redrive(letter.dead_letter_id)


async def test_redriving_what_is_not_there_does_nothing(bus: Bus) -> None:
    assert not await bus.redrive("99999")
    assert not await bus.redrive("not an id")


async def test_records_wait_for_their_consumer(bus: Bus) -> None:
    reader = Reader()
    await publish(bus, b"1", b"2")
    async with bus.consume(PUSH_TOPIC, group="task", handler=reader):
        await reader.until(b"1", b"2")


async def test_records_wait_through_a_restart_in_order(member: Member) -> None:
    reader = Reader()
    await publish(member.bus, b"1", b"2", b"3")
    bus = await member.restarted()
    async with bus.consume(PUSH_TOPIC, group="task", handler=reader):
        await publish(bus, b"4")
        await reader.until(b"1", b"2", b"3", b"4")
    assert reader.effects == [b"1", b"2", b"3", b"4"]


async def test_what_took_effect_is_not_handed_out_after_a_restart(member: Member) -> None:
    reader = Reader()
    async with member.bus.consume(PUSH_TOPIC, group="task", handler=reader):
        await publish(member.bus, b"1")
        await reader.until(b"1")
    bus = await member.restarted()
    async with bus.consume(PUSH_TOPIC, group="task", handler=reader):
        await publish(bus, b"2")
        await reader.until(b"2")
    assert reader.effects == [b"1", b"2"]


async def test_a_record_that_stops_every_process_becomes_a_dead_letter(member: Member) -> None:
    """Cancelled in the handler, as close as a test comes to a process that dies there."""
    handed: list[int] = []

    async def dies(records: Sequence[Record]) -> None:
        handed.append(records[0].attempts)
        raise asyncio.CancelledError

    await publish(member.bus, b"bad", b"good")
    for attempt in range(3):
        bus = await member.restarted()
        async with bus.consume(PUSH_TOPIC, group="task", handler=dies, max_records=1):
            async with asyncio.timeout(10):
                while len(handed) <= attempt:
                    await asyncio.sleep(0.002)
    reader = Reader()
    bus = await member.restarted()
    async with bus.consume(PUSH_TOPIC, group="task", handler=reader):
        await reader.until(b"good")
    assert handed == [0, 1, 2]
    (letter,) = await member.bus.dead_letters()
    assert letter.record.value == b"bad"


async def test_publishers_at_the_same_time_lose_nothing(bus: Bus) -> None:
    reader = Reader()
    values = [b"%d" % number for number in range(300)]
    async with bus.consume(PUSH_TOPIC, group="task", handler=reader):
        await asyncio.gather(*(publish(bus, value, key=value) for value in values))
        await reader.until(*values)
    assert sorted(reader.effects) == sorted(values)


async def test_a_healthy_bus_passes_its_check(bus: Bus) -> None:
    await bus.check()
