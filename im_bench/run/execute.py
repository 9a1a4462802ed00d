"""A run from its plan to its result."""

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict

from im_bench.report.environment import environment
from im_bench.report.expectations import Expectation, expect
from im_bench.report.judge import judge, summarise
from im_bench.report.result import Result
from im_bench.run.coordinator import Coordinator, Listener
from im_bench.run.plan import Plan


class InterruptedRunError(Exception):
    """A second Ctrl-C: there is no result."""


async def execute(plan: Plan, listener: Listener, expectations: Sequence[Expectation] = ()) -> Result:
    """Run, and say what it is worth. Ctrl-C ends the load and keeps what was measured; a second one ends everything.

    Raises:
        RunFailedError: the run did not take place.
        GeneratorBugError: a generator process failed in a way it should not.
        InterruptedRunError: Ctrl-C, twice.
    """
    began_time = time.time_ns() // 1_000_000
    coordinator = Coordinator(plan, listener)
    loop = asyncio.get_running_loop()
    run = loop.create_task(coordinator.run())
    asked = False

    def on_interrupt() -> None:
        nonlocal asked
        if asked:
            run.cancel()
        asked = True
        coordinator.stop()

    loop.add_signal_handler(signal.SIGINT, on_interrupt)
    try:
        record = await run
    except asyncio.CancelledError:
        if not asked:
            raise
        raise InterruptedRunError from None
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        run.cancel()
    target = plan.target
    result = Result(
        scenario=plan.scenario.name,
        settings={
            **asdict(plan.settings),
            "adapter": plan.adapter,
            "workers": plan.workers,
            "url": target.endpoint.url,
            "mode": target.mode,
            "server": dict(target.settings),
        },
        environment=environment(),
        began_time=began_time,
    )
    summarise(record, result)
    plan.scenario.conclude(plan.settings, record, result)
    judge(record, result)
    expect(result, expectations)
    return result
