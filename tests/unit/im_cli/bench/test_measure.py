"""A run that does not take place ends with a code and a word that say why."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from rich.console import Console

from im_bench.adapters.abstract import Endpoint
from im_bench.run.generator import GeneratorBugError, RunFailedError
from im_bench.run.target import Target
from im_bench.scenarios.private import PrivateScenario, PrivateSettings
from im_cli.bench import measure as module
from im_cli.bench.measure import Flags, ending_on_sigterm, run_once
from im_cli.bench.people import PeopleSource
from im_cli.exit_code import CommandError, ExitCode

ENDPOINT = Endpoint("http://127.0.0.1:1")


def failed(raised: Exception, monkeypatch: pytest.MonkeyPatch) -> CommandError:
    """How a run ends in which this is raised."""

    def run(coroutine: Coroutine[Any, Any, Any]) -> None:
        coroutine.close()
        raise raised

    monkeypatch.setattr(module.uvloop, "run", run)
    console = Console(quiet=True)
    with pytest.raises(CommandError) as caught:
        run_once(
            PrivateScenario, PrivateSettings(pairs=1), Flags(adapter="echo"), target=Target(ENDPOINT),
            people=PeopleSource(ENDPOINT, None, console), errors=console,
        )  # fmt: skip
    return caught.value


def test_a_generator_that_fails_as_it_should_not_is_a_bug_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    error = failed(ExceptionGroup("", [GeneratorBugError("Traceback …\nKeyError: 1\n")]), monkeypatch)
    assert error.code is ExitCode.INTERNAL
    assert error.message.startswith("Traceback …\nKeyError: 1\n"), "a report needs it"
    assert "a bug of ours" in error.message


def test_a_run_that_did_not_take_place_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    error = failed(RunFailedError("no connection"), monkeypatch)
    assert (error.code, "no connection" in error.message) == (ExitCode.IN_THE_WAY, True)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_sigterm_amid_many_tasks_ends_all_and_leaves_no_error_behind(
    run: Callable[[Coroutine[Any, Any, None]], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Raised within a task it would be that task's, which asyncio tells as never retrieved."""
    ended: list[int] = []

    async def wait(number: int) -> None:
        try:
            if number == 1:
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
        finally:
            ended.append(number)

    async def work() -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(3):
                tasks.create_task(wait(number))

    with pytest.raises(SystemExit) as caught, ending_on_sigterm():
        run(work())
    gc.collect()
    assert (caught.value.code, sorted(ended), caplog.text) == (143, [0, 1, 2], "")
