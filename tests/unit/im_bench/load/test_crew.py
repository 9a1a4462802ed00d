"""What a scenario has: people who connect, work for many, waiting, stopping."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from im_bench.accounts import Account, made_up
from im_bench.adapters.abstract import Adapter, Client, Endpoint, Entry, Joined, Mailbox
from im_bench.load.crew import Crew, Person
from im_bench.load.schedule import Part
from im_bench.load.source_addresses import SourceAddresses
from im_bench.load.window import Window


class Silent:
    def send(self, *_: Any, **__: Any) -> None: ...

    async def close(self) -> None: ...


class SilentAdapter(Adapter):
    name = "silent"

    async def connect(self, account: Account, mailbox: Mailbox, *, source_address: str | None) -> Client:
        return Silent()

    async def join(self, members: Sequence[Account], client: Client) -> Joined:
        return Joined(1, 0)

    def history(self, client: Client, joined: Joined) -> AsyncIterator[Entry]:
        raise NotImplementedError


def make(told: list[tuple[int, int]] | None = None) -> Crew:
    part = Part(0, 1)
    return Crew(
        run="run",
        part=part,
        people=[Person(index, account) for index, account in enumerate(made_up(3))],
        adapter=SilentAdapter(Endpoint("http://127.0.0.1:1")),
        sources=SourceAddresses("http://127.0.0.1:1", part),
        seed=1,
        progress=lambda done, total: told.append((done, total)) if told is not None else None,
    )


async def test_everybody_is_connected_timed_and_told() -> None:
    told: list[tuple[int, int]] = []
    crew = make(told)
    await crew.each(crew.people, crew.connect)
    assert [seat.person.index for seat in crew.seats] == [0, 1, 2]
    assert crew.tally.connections == 3
    assert sum(crew.tally.others["connect"].take().values()) == 3
    assert told == [(1, 3), (2, 3), (3, 3)]
    await crew.close()
    assert crew.seats == []


async def test_a_connection_that_was_due_is_timed_from_then_and_only_within_the_window() -> None:
    crew = make()
    await crew.connect(crew.people[0], intended=5.0)
    assert crew.tally.others["connect"].take() == {}
    crew.window.start = 0.0
    await crew.connect(crew.people[0], intended=time.monotonic() - 3)
    assert min(crew.tally.others["connect"].take()) >= 2_990_000


async def test_a_stop_ends_rest_leaves_out_what_has_not_begun_and_cuts_the_window() -> None:
    crew, begun = make(), list[int]()

    async def action(number: int) -> None:
        begun.append(number)
        crew.stop()

    await crew.each(range(100), action, at_once=1)
    assert begun == [0]
    async with asyncio.timeout(5):
        await crew.rest(60)
    assert crew.stopped
    assert crew.window.end <= time.monotonic() or crew.window.end == crew.window.begin


async def test_what_fails_meanwhile_ends_the_load() -> None:
    crew = make()
    asyncio.get_running_loop().call_soon(crew.fail, ValueError("refused"))
    with pytest.raises(ValueError, match="refused"):
        async with asyncio.timeout(5):
            await crew.drive(crew.rest(60))


async def test_waiting_says_whether_it_came_true() -> None:
    crew = make()
    assert await crew.wait_for(lambda: True, within_s=0)
    assert not await crew.wait_for(lambda: False, within_s=0.01)


async def test_a_stop_leaves_out_nothing_of_what_is_not_stoppable() -> None:
    crew, done = make(), list[int]()

    async def one(item: int) -> None:
        done.append(item)

    crew.stop()
    await crew.each([1, 2], one)
    assert done == []
    await crew.each([1, 2], one, stoppable=False)
    assert done == [1, 2]


async def test_a_drive_that_was_stopped_before_it_began_offers_nothing_however_late_it_is() -> None:
    crew, past = make(), time.monotonic() - 5
    crew.begin(Window(past, past, past + 60))
    assert crew.window == Window(past, past, past + 60)
    crew.stop()
    crew.begin(Window(past, past, past + 60))
    assert crew.window == Window(past, past, past)
