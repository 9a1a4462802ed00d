"""The embedded cluster on the test's own loop, so that a test can hold it at any step and spoil any part of it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from im_cli.data_folder import DataFolder
from im_cli.process.leaves import SERVICES
from im_cli.process.process import open_process
from im_cli.process.settings import ProcessSettings
from im_cli.secret_file import Secrets
from im_infra.settings import load

QUICK: Final[Mapping[str, Any]] = {
    "internal.port": 0,
    "gateway.public.port": 0,
    "gateway.limits.exempt_networks": ["127.0.0.0/8"],
    "gateway.drain.alone_window_s": 0.0,
    "gateway.drain.flush_timeout_s": 0.1,
    "logic.messaging.sends_per_group_s": 10_000,
    "logic.messaging.sends_per_huge_s": 10_000,
    "logic.world.slow_mode_s": 0,
    "logic.accounts.passwords.time_cost": 1,
    "logic.accounts.passwords.memory_kib": 1024,
    "repo.outbox.sweep_after_s": 0.3,
    "repo.outbox.interval_s": 0.1,
    "repo.outbox.max_backoff_s": 0.5,
}
"""No buckets, cheap passwords, and a sweeper that is ten times as quick: a run says in a second what it would in ten."""


@dataclass(frozen=True, slots=True)
class InProcess:
    """A running cluster."""

    port: int
    database: Path

    @property
    def url(self) -> str:
        """For HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        """For frames."""
        return f"ws://127.0.0.1:{self.port}/ws"


@asynccontextmanager
async def in_process(
    path: Path, settings: Mapping[str, Any] | None = None, *, services: Collection[str] = SERVICES
) -> AsyncIterator[InProcess]:
    """Run it while the context is open; what breaks inside it fails the test.

    Args:
        path: the data folder.
        settings: by full key, besides `QUICK`.
        services: which of the four.
    """
    tree = load(ProcessSettings, toml=None, environment={}, overrides={**QUICK, **(settings or {})})
    folder = DataFolder(path)
    folder.create()
    stop, ready = asyncio.Event(), asyncio.Event()
    async with (
        open_process(tree, folder, Secrets.make(datetime.now(UTC)), services) as cluster,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(cluster.run(on_ready=ready.set, stop=stop), name="cluster")
        await ready.wait()
        try:
            yield InProcess(cluster.port, folder.database)
        finally:
            stop.set()
