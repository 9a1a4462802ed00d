"""The one way to try again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from im_infra.clock import Clock, SystemClock
from im_infra.errors import ImError
from im_infra.rpc.core.backoff import Backoff
from im_infra.rpc.core.retry_rule import wait_before_retry

Result = TypeVar("Result")

DEFAULT_BACKOFF: Final = Backoff(first_s=0.05, max_s=1.0)
"""The first wait covers a reconnect on the same machine, the last one a restart."""


async def retry(
    attempt: Callable[[float], Awaitable[Result]],
    *,
    timeout_s: float,
    attempt_timeout_s: float = float("inf"),
    backoff: Backoff = DEFAULT_BACKOFF,
    clock: Clock | None = None,
    chance: Callable[[], float] = random.random,
) -> Result:
    """Try until it succeeds, fails for good, or the deadline leaves no time for another try.

    Only for what is idempotent: an earlier try may have taken effect. Cancelling is as safe as the attempt.

    Args:
        attempt: called with the seconds it may take; chooses the peer anew each time.
        timeout_s: seconds for all tries together.
        attempt_timeout_s: the most seconds one try is given.
        backoff: how waits grow; an error's own `retry_after_ms` is respected, NotStartedError goes on at once, once.
        clock: where time comes from.
        chance: random in [0, 1), for the jitter.

    Raises:
        ImError: the last try's.
    """
    monotonic = (clock or SystemClock()).monotonic
    deadline = monotonic() + timeout_s
    failures = 0
    while True:
        try:
            return await attempt(min(deadline - monotonic(), attempt_timeout_s))
        except ImError as error:
            left_s = deadline - monotonic()
            wait_s = wait_before_retry(error, failures=failures, left_s=left_s, backoff=backoff, chance=chance())
            if wait_s is None:
                raise
        failures += 1
        await asyncio.sleep(wait_s)
