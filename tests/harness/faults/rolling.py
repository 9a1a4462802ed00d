"""Orderly stops: one process after the other, as an upgrade does it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.harness.fault import Fault, Gate, Inject, Scene


def restarted(*names: str) -> Inject:
    """SIGTERM and start again, one after the other; nothing of it may reach who sends."""

    @asynccontextmanager
    async def inject(scene: Scene) -> AsyncIterator[None]:
        for name in names:
            await scene.site.stop(name)
            process = scene.site.server(name).process
            if process is not None and process.returncode:
                scene.expect(False, f"{name} ended with {process.returncode}")
            await scene.site.start(name)
        yield
        raised = [error for device in scene.load.devices.values() for error in device.raised]
        scene.expect(not raised, f"{len(raised)} sends raised")

    return inject


ALL: Final = tuple(f"{service}-{letter}" for service in ("repo", "logic", "task", "gateway") for letter in "ab")
RESTART: Final = Fault(
    "every service's process restarted in turn",
    "no send fails, nobody notices but by a reconnect",
    restarted(*ALL),
    Gate(answered=0.999, most_away_s=5),
    hold_s=0,
)
