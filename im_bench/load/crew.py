"""What a scenario has within one generator process: its people, connections, counts and clock."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from im_bench.accounts import Account
from im_bench.adapters.abstract import Adapter, Client, Mailbox
from im_bench.ledger.correctness import Correctness
from im_bench.load.receiver import Receiver
from im_bench.load.schedule import Part
from im_bench.load.source_addresses import SourceAddresses
from im_bench.load.window import Window
from im_bench.measure.tally import Tally

AT_ONCE: Final = 32
"""Connections a process opens at the same time, unless a scenario wants otherwise."""
POLL_S: Final = 0.05
"""Asking thousands now and then is cheaper than an event from each."""
T = TypeVar("T")
Opening = Callable[[Account, Mailbox, str | None], Awaitable[Client]]
"""Opens a connection in a scenario's own way, from a source address."""
Progress = Callable[[int, int], None]
"""Told how much of how much is done."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes part."""

    index: int
    """In the run, over all processes: the sender's name in the stamps."""
    account: Account


@dataclass(slots=True)
class Seat:
    """A person who is connected."""

    person: Person
    client: Client
    receiver: Receiver


class Crew:
    """One generator process's people and instruments.

    Args:
        run: the run's name.
        part: which process this is.
        people: this process's, in the order of the run.
        adapter: what the load speaks to.
        sources: where connections come from.
        seed: of the run.
        progress: told how far a step is.
    """

    def __init__(
        self,
        *,
        run: str,
        part: Part,
        people: Sequence[Person],
        adapter: Adapter,
        sources: SourceAddresses,
        seed: int,
        progress: Progress,
    ) -> None:
        self.run = run
        self.part = part
        self.people = people
        self.adapter = adapter
        self.seed = seed
        self.random = random.Random(f"{seed}/{part.index}")  # noqa: S311 - reproducible, no secret
        self.window = Window(math.inf, math.inf, math.inf)
        self.tally = Tally()
        self.correctness = Correctness()
        self.seats: list[Seat] = []
        self._sources = sources
        self._progress = progress
        self._stopping = asyncio.Event()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def stopped(self) -> bool:
        """A person asked to stop: end the step soon, with what there is."""
        return self._stopping.is_set()

    def begin(self, window: Window) -> None:
        """A drive begins; one that was stopped before offers nothing, however late this process is."""
        own = self.window
        own.begin, own.start, own.end = window.begin, window.start, window.begin if self.stopped else window.end

    def stop(self) -> None:
        """End the load now."""
        self._stopping.set()
        self.window.cut(time.monotonic())

    def fail(self, error: Exception) -> None:
        """End the run: it cannot take place as it was meant."""
        if not self._failed.done():
            self._failed.set_exception(error)
            self._failed.exception()  # what comes after the last step that `drive` watches is nobody's

    async def connect(self, person: Person, *, intended: float | None = None, opening: Opening | None = None) -> Seat:
        """Connect somebody, and time it.

        Args:
            person: who; several connections of one person are instances of one device.
            intended: when it was due, if connecting is what is measured.
            opening: what opens it; None: the adapter, as usual.

        Raises:
            AdapterError: there is no connection.
        """
        receiver = Receiver(self.run, self.window, self.tally, self.correctness)
        begun = time.monotonic()
        address = self._sources.take()
        if opening is None:
            client = await self.adapter.connect(person.account, receiver, source_address=address)
        else:
            client = await opening(person.account, receiver, address)
        if intended is None or intended in self.window:
            self.tally.others["connect"].record(time.monotonic() - (begun if intended is None else intended))
        receiver.connected()
        seat = Seat(person, client, receiver)
        self.seats.append(seat)
        return seat

    async def leave(self, seat: Seat) -> None:
        """Close somebody's connection."""
        self.seats.remove(seat)
        await seat.client.close()

    async def each(
        self,
        items: Iterable[T],
        action: Callable[[T], Awaitable[object]],
        *,
        at_once: int = AT_ONCE,
        stoppable: bool = True,
    ) -> None:
        """Do something for each of many, some at the same time, telling how far it is.

        Args:
            items: the many.
            action: what is done for one.
            at_once: so many at the same time.
            stoppable: a stop leaves out the rest.
        """
        todo = list(items)
        gate = asyncio.Semaphore(at_once)
        done = 0

        async def one(item: T) -> None:
            nonlocal done
            async with gate:
                if not (stoppable and self.stopped):
                    await action(item)
            done += 1
            self._progress(done, len(todo))

        async with asyncio.TaskGroup() as tasks:
            for item in todo:
                tasks.create_task(one(item))

    async def wait_for(self, condition: Callable[[], bool], *, within_s: float) -> bool:
        """Wait until something holds; False when it does not in time."""
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def rest(self, seconds: float) -> None:
        """Do nothing for a while; a stop ends it."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def drive(self, load: Coroutine[Any, Any, object]) -> None:
        """Run what makes the load or waits for its answers; what `fail` was told ends it.

        Raises:
            Exception: what `fail` was told.
        """
        task = asyncio.get_running_loop().create_task(load)
        either: set[asyncio.Future[Any]] = {task, self._failed}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
        if self._failed.done():
            self._failed.result()
        await task

    async def close(self) -> None:
        """Close every connection."""
        seats, self.seats = self.seats, []
        await asyncio.gather(*(seat.client.close() for seat in seats))
