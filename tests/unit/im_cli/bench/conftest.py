"""Commands of many runs, whose runs end as a test says."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from im_bench.adapters.abstract import Endpoint
from im_bench.report.result import Result
from im_bench.run.target import Target
from im_cli.exit_code import CommandError, ExitCode

STOPPED = Result("private", {"mode": "embedded"}, stopped=True)
TWICE = CommandError("interrupted: nothing is kept of the run", code=ExitCode.INTERRUPTED)
FAILED = CommandError("no server", code=ExitCode.UNREACHABLE)
CRASHED = CommandError("a generator process ended by itself with code 9", code=ExitCode.INTERNAL)


def script(module: ModuleType, outcomes: Sequence[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command's runs end with these, one after the other: a result is returned, an error raised."""
    left = iter(outcomes)

    def run_once(*_: object, **__: object) -> Result:
        outcome = next(left)
        if isinstance(outcome, BaseException):
            raise outcome
        assert isinstance(outcome, Result)
        return outcome

    @contextmanager
    def opened(*_: object) -> Iterator[tuple[Target, None]]:
        yield Target(Endpoint("http://127.0.0.1:1")), None

    monkeypatch.setattr(module, "run_once", run_once)
    monkeypatch.setattr(module, "opened", opened)
