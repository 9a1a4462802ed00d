"""Looking at what a process's readiness rests on."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from im_infra.errors import ImError
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

CHECK_DEADLINE_S: Final = 1.0

Asked = Callable[[], Awaitable[None]]
"""Raises ImError while what it asks fails."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found."""

    error: str
    """For people; empty: it passed."""
    latency_s: float


async def look_at(checks: Mapping[str, Asked]) -> dict[str, Outcome]:
    """Run all checks side by side, each for at most 1 s."""
    async with asyncio.TaskGroup() as tasks:
        running = {name: tasks.create_task(_outcome(name, check)) for name, check in checks.items()}
    return {name: task.result() for name, task in running.items()}


async def _outcome(name: str, check: Asked) -> Outcome:
    started = time.monotonic()
    try:
        async with asyncio.timeout(CHECK_DEADLINE_S):
            await check()
        error = ""
    except TimeoutError:
        error = f"no answer within {CHECK_DEADLINE_S:g} s"
    except ImError as failed:
        error = f"{failed.reason.name}: {failed.message}"
    except Exception as failed:  # noqa: BLE001 - a broken check means not ready, not a broken process
        _LOG.exception("readiness check failed unexpectedly", check=name)
        error = type(failed).__name__
    return Outcome(error, time.monotonic() - started)
