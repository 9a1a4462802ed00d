"""The database's disk is full."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.harness.cluster_site import ClusterSite
from tests.harness.fault import Fault, Gate, Scene
from tests.support.small_disk import fill, small_disk

DISK_MIB: Final = 320
FILLER: Final = "filler"
CLEAR: Final = "STORAGE_FULL"
REFUSALS: Final = frozenset({CLEAR, "UNAVAILABLE", "DEADLINE_EXCEEDED"})
LOOKS_AGAIN_S: Final = 60.0
"""MariaDB, for the space that it waits for."""


def give_small_disk(site: ClusterSite) -> None:
    """Put the database's data on one, before it starts; what is on it goes with the server."""
    server = site.server("mariadb")
    disk = server.folder / "disk"
    disk.mkdir()
    server.command = small_disk(disk, mib=DISK_MIB)(server.command)


@asynccontextmanager
async def full(scene: Scene) -> AsyncIterator[None]:
    """Not a byte is left, for as long as it holds."""
    server = scene.site.server("mariadb")
    filler = Path(f"/proc/{server.pid}/root{server.folder / 'disk' / FILLER}")
    await asyncio.to_thread(fill, filler)
    yield
    refused: Counter[str] = sum((sender.refusals for sender in scene.load.senders), Counter())
    filler.unlink()
    told = ", ".join(f"{times} {name}" for name, times in refused.most_common())
    scene.expect(CLEAR in refused and refused.keys() <= REFUSALS, f"answers: {told or 'none'}")


FULL: Final = Fault(
    "the database's disk is full",
    "a clear error, no ack, recovers by itself",
    full,
    Gate(recovery_s=LOOKS_AGAIN_S + 15),
    15,
)
