"""Detached tasks that are neither lost nor silent.

Whatever can live in a `TaskGroup` belongs there. The rest goes through `spawn`: the loop keeps only weak references to
its tasks, so somebody else has to hold them, and somebody has to look at how they end.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from im_infra.observability import logs

_LOG: Final = logs.get(__name__)


class _Spawned:
    """The tasks under way, and how many failed since the process began."""

    def __init__(self) -> None:
        self.running: set[asyncio.Task[Any]] = set()
        self.failed = 0

    def ended(self, task: asyncio.Task[Any]) -> None:
        self.running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self.failed += 1
            _LOG.error("task failed", task=task.get_name(), exc_info=error)


_SPAWNED: Final = _Spawned()


def spawn(coroutine: Coroutine[Any, Any, object], *, name: str) -> asyncio.Task[Any]:
    """Start `coroutine` as a task of its own.

    The reference is kept until it ends. An exception it ends with is logged with its traceback and counted in
    `im_process_failed_tasks`; being cancelled is not a failure.

    Args:
        coroutine: what to run.
        name: the task's name in logs, `part.what`.
    """
    task = asyncio.create_task(coroutine, name=name)  # noqa: TID251 - the one place that may
    _SPAWNED.running.add(task)
    task.add_done_callback(_SPAWNED.ended)
    return task


def cancelled_from_outside() -> bool:
    """Whether a CancelledError is meant for the present task.

    Libraries cancel tasks and calls of their own when a connection goes, and whoever awaits one sees the same exception.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def failed_tasks() -> int:
    """How many spawned tasks have failed in this process."""
    return _SPAWNED.failed
