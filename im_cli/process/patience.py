"""Waiting for what is not up yet: processes and engines may start in any order."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from im_infra.error_kind import Kind
from im_infra.errors import ImError
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)
T = TypeVar("T")

FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 3.0


async def when_available(name: str, attempt: Callable[[], Awaitable[T]], *, patient: bool) -> T:
    """What `attempt` gives, once it does; until then it is tried again with growing, jittered waits, and each is logged.

    Safe to cancel, as `attempt` is.

    Args:
        name: what is waited for, for the log.
        attempt: opens or asks for it.
        patient: wait; otherwise the first failure is final, as for a file of this machine.

    Raises:
        ImError: what `attempt` raised, where it is final or nobody waits.
    """
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return await attempt()
        except ImError as error:
            if not patient or error.kind is not Kind.UNAVAILABLE:
                raise
            _LOG.warning("waiting for an engine", engine=name, error=error.message, next_try_s=round(wait_s, 1))
        await asyncio.sleep(wait_s * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
        wait_s = min(LONGEST_WAIT_S, wait_s * 2)
