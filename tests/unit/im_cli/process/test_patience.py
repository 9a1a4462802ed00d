import asyncio

import pytest

from im_cli.process import patience
from im_cli.process.patience import when_available
from im_infra import error_table
from im_infra.errors import ImError


class Engine:
    """Up after so many attempts."""

    def __init__(self, failures: int, error: ImError | None = None) -> None:
        self.attempts = 0
        self._failures = failures
        self._error = error or ImError(error_table.UNAVAILABLE)

    async def open(self) -> str:
        self.attempts += 1
        if self.attempts <= self._failures:
            raise self._error
        return "open"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(patience, "LONGEST_WAIT_S", 0.002)


async def test_waits_until_it_is_up() -> None:
    """A process may be started before its engines."""
    engine = Engine(5)
    assert await when_available("engine", engine.open, patient=True) == "open"
    assert engine.attempts == 6


async def test_does_not_wait_for_a_file_of_this_machine() -> None:
    engine = Engine(1)
    with pytest.raises(ImError):
        await when_available("engine", engine.open, patient=False)
    assert engine.attempts == 1


async def test_does_not_wait_for_what_never_changes() -> None:
    """A final refusal, such as a newer schema, is told at once."""
    engine = Engine(1, ImError(error_table.INTERNAL))
    with pytest.raises(ImError):
        await when_available("engine", engine.open, patient=True)
    assert engine.attempts == 1


async def test_can_be_given_up() -> None:
    waiting = asyncio.ensure_future(when_available("engine", Engine(10**9).open, patient=True))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
