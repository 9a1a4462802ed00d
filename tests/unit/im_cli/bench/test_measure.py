"""A run that does not take place ends with a code and a word that say why."""

from collections.abc import Coroutine
from typing import Any

import pytest
from rich.console import Console

from im_bench.adapters.abstract import Endpoint
from im_bench.run.generator import GeneratorBugError, RunFailedError
from im_bench.run.target import Target
from im_bench.scenarios.private import PrivateScenario, PrivateSettings
from im_cli.bench import measure as module
from im_cli.bench.measure import Flags, run_once
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
