"""Processes that end without a word."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.harness.fault import Fault, Gate, Inject, Scene


def killed(*names: str) -> Inject:
    """SIGKILL; the heal is a restart."""

    @asynccontextmanager
    async def inject(scene: Scene) -> AsyncIterator[None]:
        await scene.site.kill(*names)
        yield
        await scene.site.start(*names)

    return inject


def both(*names: str) -> Fault:
    """All of one service, so that nobody else could go on for them."""
    return Fault(f"kill -9 of {' and '.join(names)}", "sends are retried with the same id", killed(*names), hold_s=0.5)


GATEWAY: Final = Fault(
    "kill -9 of a gateway",
    "clients resume elsewhere, dead routes vanish",
    killed("gateway-a"),
    Gate(most_away_s=5, away_s=30),
)
LOGIC: Final = Fault("kill -9 of a logic", "sends are retried with the same id: one message", killed("logic-a"))
REPO: Final = Fault("kill -9 of a repo", "sends are retried with the same id: one message", killed("repo-a"))
TASK: Final = Fault("kill -9 of a task", "redelivery is idempotent", killed("task-a"))
