"""A generator process: takes the steps it is told, each second tells what it counted.

Started by the coordinator as `python -m im_bench.run.worker DESCRIPTOR`, with one end of a pair of sockets.
"""

import asyncio
import gc
import math
import socket
import sys
import time
import traceback
from typing import Any, Final

import uvloop

from im_bench.adapters.abstract import AdapterError
from im_bench.adapters.diagnose import diagnose
from im_bench.adapters.registry import load_adapter
from im_bench.load.crew import Crew
from im_bench.load.sender import SendRefusedError
from im_bench.load.source_addresses import SourceAddresses
from im_bench.load.window import Window
from im_bench.run.channel import Channel, ChannelClosedError
from im_bench.run.first_error import first_error
from im_bench.run.messages import Assignment, BeginStep, Failed, Progressed, SecondEnded, StepEnded, Stop
from im_bench.run.open_files import raise_file_limit
from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.registry import find_scenario

PROGRESS_S: Final = 0.1
GARBAGE_EVERY: Final = 20_000
"""Allocations between two looks for cycles while driving: the hot path makes none, and the default's 700 stalled it."""
EXPECTED: Final = (AdapterError, SendRefusedError, OSError)


class Worker:
    """One process's part of a run.

    Args:
        channel: to the coordinator.
        assignment: what it told first.
    """

    def __init__(self, channel: Channel, assignment: Assignment) -> None:
        self._channel = channel
        self._progress_told = 0.0
        adapter = load_adapter(assignment.adapter)(assignment.endpoint)
        self._adapter = adapter
        self._crew = Crew(
            run=assignment.run,
            part=assignment.part,
            people=assignment.people,
            adapter=adapter,
            sources=SourceAddresses(assignment.endpoint.url, assignment.part, assignment.source_addresses),
            seed=assignment.settings.seed,
            progress=self._tell_progress,
        )
        self._scenario: Scenario[Any] = find_scenario(assignment.scenario)(self._crew, assignment.settings)

    async def run(self) -> None:
        """Take steps until the coordinator closes the channel."""
        self._adapter.begin()
        self._channel.send(StepEnded(None))  # it is there
        todo: asyncio.Queue[BeginStep | None] = asyncio.Queue()  # at most one: the coordinator waits for each
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(todo))
            while (begin := await todo.get()) is not None:
                await self._take(begin)
        await self._crew.close()
        await self._adapter.end()

    async def _listen(self, todo: "asyncio.Queue[BeginStep | None]") -> None:
        try:
            while True:
                message = await self._channel.receive()
                if isinstance(message, Stop):
                    self._crew.stop()
                else:
                    todo.put_nowait(message)
        except ChannelClosedError:
            self._crew.stop()
            todo.put_nowait(None)

    async def _take(self, begin: BeginStep) -> None:
        crew, window = self._crew, begin.window
        if not math.isinf(window.start):
            gc.collect()
            gc.freeze()  # what was made so far stays: looking through it again would only stall the schedule
            gc.set_threshold(GARBAGE_EVERY)
            crew.begin(window)
        method = getattr(self._scenario, begin.name)
        async with asyncio.TaskGroup() as tasks:
            seconds = Seconds(self._channel, crew, begin.name, window)
            ticking = tasks.create_task(seconds.run())
            returned = await method(begin.told)
            ticking.cancel()
        seconds.end()
        self._channel.send(StepEnded(returned))

    def _tell_progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done == total or now - self._progress_told > PROGRESS_S:
            self._progress_told = now
            self._channel.send(Progressed(done, total))


class Seconds:
    """Ends the seconds of one step, at the same moments in all processes.

    Args:
        channel: where they are told.
        crew: whose counts.
        step: the step's name.
        window: a second never reaches over the window's start or end.
    """

    def __init__(self, channel: Channel, crew: Crew, step: str, window: Window) -> None:
        self._channel = channel
        self._crew = crew
        self._step = step
        self._window = window
        self._number = 0
        self._ended = window.begin

    async def run(self) -> None:
        """End second after second until cancelled."""
        while True:
            due = self._next()
            while (wait_s := due - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
                due = min(due, self._next())  # a stop may have cut the window
            self._end_second(due)

    def _next(self) -> float:
        """When the second under way ends."""
        start, end = self._window.start, self._crew.window.end
        due = self._ended + 1.0
        if not math.isinf(start) and self._ended < start:
            due = start - math.ceil(start - self._ended - 1e-9) + 1.0
        return min([due, *(edge for edge in (start, end) if self._ended < edge)])

    def _end_second(self, due: float) -> None:
        measured = self._window.start <= self._ended < self._crew.window.end
        second = self._crew.tally.end_second(measured=measured)
        self._channel.send(SecondEnded(self._step, self._number, second))
        self._number, self._ended = self._number + 1, due

    def end(self) -> None:
        """Tell what was counted since the last second ended."""
        self._end_second(time.monotonic())


async def serve(end: socket.socket) -> None:
    """Be a generator process over this socket, until the coordinator closes it."""
    channel = await Channel.over(end)
    try:
        await Worker(channel, await channel.receive()).run()
    except ChannelClosedError:
        return
    except Exception as raised:  # noqa: BLE001 - the process's edge: told to the coordinator, which shows it
        error = first_error(raised)
        expected = isinstance(error, EXPECTED)
        reason = str(error) if expected else "".join(traceback.format_exception(error))
        channel.send(Failed(reason, expected=expected, trouble=diagnose(error)))
    finally:
        await channel.close()


def main() -> None:
    """Run as a process."""
    raise_file_limit()
    uvloop.run(serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
