"""Leads a run: starts the generator processes, takes them through the steps together, and keeps the record."""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from im_bench.load.window import Window
from im_bench.measure.resources import Watch
from im_bench.report.record import Measured, Record, Row, StepRecord
from im_bench.run.first_error import first_error
from im_bench.run.generator import Generator
from im_bench.run.lag import LagProbe
from im_bench.run.messages import BeginStep, Progressed, SecondEnded, StepEnded
from im_bench.run.plan import Plan
from im_bench.run.seconds import Seconds
from im_bench.scenarios.abstract import Step, duration_of
from im_bench.scenarios.option import LoadSettings

LEAD_S: Final = 0.1
"""A step begins so much after it was told: by then every process knows of it."""


@dataclass(slots=True)
class Listener:
    """Told how a run goes, for whoever shows it."""

    on_step: Callable[[Step, float | None], None] = field(default=lambda _step, _duration_s: None)
    """A step begins; the seconds it will take, where they are known."""
    on_progress: Callable[[int, int], None] = field(default=lambda _done, _total: None)
    on_row: Callable[[Row], None] = field(default=lambda _row: None)


class Coordinator:
    """One run.

    Args:
        plan: what to do.
        listener: told how it goes.
    """

    def __init__(self, plan: Plan, listener: Listener) -> None:
        self._plan = plan
        self._listener = listener
        self._watch = Watch(plan.target.pids)
        self._record = Record()
        self._began = time.monotonic()
        self._generators: list[Generator] = []
        self._progress: list[tuple[int, int]] = []
        self._assignments = plan.assignments()
        self._probe = LagProbe(plan.target.metrics_urls)
        self._seconds = Seconds(
            self._record, len(self._assignments), self._watch, self._probe, clock=self._clock, on_row=listener.on_row
        )

    def _clock(self) -> float:
        return time.monotonic() - self._began

    def stop(self) -> None:
        """End the load now; what was measured so far is verified and returned."""
        self._record.stopped = True
        for generator in self._generators:
            generator.stop()

    async def run(self) -> Record:
        """Take all steps.

        Raises:
            RunFailedError: the run did not take place.
            GeneratorBugError: a generator process failed in a way it should not.
        """
        async with AsyncExitStack() as stack:
            for assignment in self._assignments:
                self._generators.append(await stack.enter_async_context(Generator.started(assignment)))
            for generator in self._generators:
                await generator.receive()  # it is there: a schedule begins for all at once
            if self._record.stopped:
                self.stop()  # those that were started behind it were not told
            try:
                async with asyncio.TaskGroup() as tasks:
                    probing = tasks.create_task(self._probe.run())
                    told: list[Any] = []
                    for step in self._plan.scenario.steps:
                        told = await self._take(step, told)
                    probing.cancel()
            except* Exception as group:  # noqa: BLE001 - the first one says it
                raise first_error(group) from None
        return self._record

    async def _take(self, step: Step, told: list[Any]) -> list[Any]:
        settings = self._plan.settings
        duration_s = duration_of(settings) if step.drives else None
        self._listener.on_step(step, duration_s)
        record = StepRecord(step.name, round(self._clock(), 3), before=self._watch.read())
        self._record.steps.append(record)
        window = _window(settings, time.monotonic() + LEAD_S) if step.drives else _endless(time.monotonic() + LEAD_S)
        self._progress = [(0, 0)] * len(self._generators)
        for generator in self._generators:
            generator.begin(BeginStep(step.name, window, told))
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read_at_edges(window))
                ends = [
                    tasks.create_task(self._follow(process, generator))
                    for process, generator in enumerate(self._generators)
                ]
                await asyncio.gather(*ends)
                reading.cancel()
        except* Exception as group:  # noqa: BLE001 - the first one says it
            raise first_error(group) from None
        self._seconds.end_step()
        record.returned, record.after, record.ended_s = (
            [end.result() for end in ends],
            self._watch.read(),
            self._clock(),
        )
        if step.drives and self._record.measured is not None and not self._record.measured.after:
            self._record.measured.after = record.after  # it was stopped before its end
        return record.returned

    async def _follow(self, process: int, generator: Generator) -> Any:  # noqa: ANN401 - whatever the step returns
        """Take in what one process tells, until it has taken the step."""
        while True:
            message = await generator.receive()
            match message:
                case SecondEnded():
                    self._seconds.add(message.step, message.number, process, message.second)
                case Progressed():
                    self._progress[process] = (message.done, message.total)
                    self._listener.on_progress(*(sum(column) for column in zip(*self._progress, strict=True)))
                case StepEnded():
                    return message.returned

    async def _read_at_edges(self, window: Window) -> None:
        """Read what the server's processes used when the window starts and when it ends."""
        if math.isinf(window.start):
            return
        await asyncio.sleep(max(0.0, window.start - time.monotonic()))
        measured = self._record.measured = Measured(
            generator_cpu_s=[0.0] * len(self._generators), before=self._watch.read()
        )
        await asyncio.sleep(max(0.0, window.end - time.monotonic()))
        measured.after = self._watch.read()


def _window(settings: object, begin: float) -> Window:
    """What is measured of a drive that begins at `begin`."""
    assert isinstance(settings, LoadSettings)
    start = begin + settings.ramp + settings.warm_up
    return Window(begin, start, start + settings.duration)


def _endless(begin: float) -> Window:
    """A step without a schedule."""
    return Window(begin, math.inf, math.inf)
