import pytest

from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core.backoff import Backoff
from im_infra.rpc.retry import retry

QUICK = Backoff(first_s=0.001, max_s=0.002)


class Flaky:
    """Fails with each of `errors`, then succeeds; a try takes a second."""

    def __init__(self, *errors: ImError) -> None:
        self.errors = list(errors)
        self.allowed: list[float] = []
        self.clock = ManualClock(monotonic=0.0)

    async def __call__(self, timeout_s: float) -> str:
        self.allowed.append(timeout_s)
        self.clock.advance(1)
        if self.errors:
            raise self.errors.pop(0)
        return "done"


async def test_a_success_is_returned() -> None:
    flaky = Flaky()
    assert await retry(flaky, timeout_s=10, clock=flaky.clock) == "done"
    assert flaky.allowed == [10]


async def test_each_try_is_given_what_is_left() -> None:
    flaky = Flaky(ImError(error_table.UNAVAILABLE), NotStartedError())
    assert await retry(flaky, timeout_s=10, backoff=QUICK, clock=flaky.clock) == "done"
    assert flaky.allowed == [10, 9, 8]


async def test_a_try_may_be_given_less_than_all() -> None:
    flaky = Flaky(ImError(error_table.UNAVAILABLE))
    await retry(flaky, timeout_s=4, attempt_timeout_s=3.5, backoff=QUICK, clock=flaky.clock)
    assert flaky.allowed == [3.5, 3]


async def test_a_final_error_is_raised_at_once() -> None:
    flaky = Flaky(ImError(error_table.MUTED))
    with pytest.raises(ImError, match="muted"):
        await retry(flaky, timeout_s=10, clock=flaky.clock)
    assert len(flaky.allowed) == 1


async def test_the_last_error_is_raised_when_no_time_is_left() -> None:
    flaky = Flaky(*[ImError(error_table.UNAVAILABLE, f"try {number}") for number in range(9)])
    with pytest.raises(ImError, match="try 2"):
        await retry(flaky, timeout_s=3, backoff=QUICK, clock=flaky.clock)
    assert len(flaky.allowed) == 3
