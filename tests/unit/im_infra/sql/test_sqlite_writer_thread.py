"""Whose turn it is in the writing thread."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from im_infra.sql.sqlite_writer_thread import SqliteWriterThread


class Gate:
    """A call that keeps the thread until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.opened.wait(10), "nobody opened the gate"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def writer(gate: Gate) -> Iterator[SqliteWriterThread]:
    writer = SqliteWriterThread()
    yield writer
    gate.opened.set()
    writer.shut_down()


async def held(writer: SqliteWriterThread, gate: Gate) -> asyncio.Task[None]:
    """The call that has the thread."""
    running = asyncio.create_task(writer.run(gate))
    await asyncio.to_thread(gate.entered.wait, 10)
    return running


def noting(made: list[str], name: str) -> Callable[[], str]:
    def call() -> str:
        made.append(name)
        return name

    return call


async def started(*tasks: asyncio.Task[str]) -> None:
    """Each has handed its call over."""
    for _ in tasks:
        await asyncio.sleep(0)


async def test_urgent_calls_go_before_those_that_wait(writer: SqliteWriterThread, gate: Gate) -> None:
    made: list[str] = []
    running = await held(writer, gate)
    tasks = [
        asyncio.create_task(writer.run(noting(made, name), urgent=name.startswith("urgent")))
        for name in ("first", "second", "urgent 1", "third", "urgent 2")
    ]
    await started(*tasks)
    gate.opened.set()
    results = await asyncio.gather(*tasks)
    await running
    assert made == ["urgent 1", "urgent 2", "first", "second", "third"]
    assert results == ["first", "second", "urgent 1", "third", "urgent 2"], "each has the result of its own call"


async def test_one_urgent_call_after_the_other_leaves_turns_to_the_others(
    writer: SqliteWriterThread, gate: Gate
) -> None:
    """As the appender makes them: the next one when the last one is answered."""
    made: list[str] = []
    running = await held(writer, gate)

    async def appending() -> None:
        for number in range(20):
            await writer.run(noting(made, f"urgent {number}"), urgent=True)

    others = [asyncio.create_task(writer.run(noting(made, f"other {number}"))) for number in range(10)]
    urgent = asyncio.create_task(appending())
    await started(*others)
    gate.opened.set()
    await asyncio.gather(running, urgent, *others)
    assert made.index("other 9") < made.index("urgent 19")


async def test_an_error_reaches_its_caller_and_no_other(writer: SqliteWriterThread) -> None:
    def fail() -> None:
        raise LookupError("its own")

    outcomes = await asyncio.gather(writer.run(fail), writer.run(lambda: 7), return_exceptions=True)
    assert isinstance(outcomes[0], LookupError)
    assert outcomes[1] == 7


async def test_a_cancelled_caller_goes_on_at_once_and_its_call_is_made(writer: SqliteWriterThread, gate: Gate) -> None:
    made: list[str] = []
    running = await held(writer, gate)
    cancelled = asyncio.create_task(writer.run(noting(made, "cancelled")))
    await started(cancelled)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert made == []
    gate.opened.set()
    await running
    await writer.run(noting(made, "behind"))
    assert made == ["cancelled", "behind"]


async def test_what_waits_is_made_before_the_end(writer: SqliteWriterThread, gate: Gate) -> None:
    made: list[str] = []
    running = await held(writer, gate)
    waiting = asyncio.create_task(writer.run(noting(made, "waiting")))
    await started(waiting)
    gate.opened.set()
    await asyncio.to_thread(writer.shut_down)
    await asyncio.gather(running, waiting)
    assert made == ["waiting"]
    with pytest.raises(RuntimeError):
        await writer.run(noting(made, "too late"))
    assert made == ["waiting"]
