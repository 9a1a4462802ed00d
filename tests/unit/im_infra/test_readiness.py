import asyncio

import pytest

from im_infra import error_table, readiness
from im_infra.errors import ImError
from im_infra.readiness import look_at


async def passes() -> None:
    return


async def fails() -> None:
    raise ImError(error_table.UNAVAILABLE, "gone")


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_each_check_tells_its_own_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails or hangs takes no other along."""
    monkeypatch.setattr(readiness, "CHECK_DEADLINE_S", 0.05)
    outcomes = await look_at({"good": passes, "bad": fails, "stuck": hangs})
    assert outcomes["good"].error == ""
    assert outcomes["bad"].error == "UNAVAILABLE: gone"
    assert outcomes["stuck"].error == "no answer within 0.05 s"
    assert outcomes["stuck"].latency_s >= 0.05


async def test_nothing_to_check() -> None:
    assert await look_at({}) == {}
