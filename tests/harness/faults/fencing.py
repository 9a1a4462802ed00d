"""Processes that were away and do not know it, or have lost what they go by."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.harness.fault import Fault, Gate, Scene

ZOMBIE_S: Final = 15.0
NOTICED_S: Final = 3.0
"""After so long a balancer stops sending clients to a gateway that does not answer."""
RENEWED_S: Final = 70.0
"""Worker leases are renewed each minute."""


@asynccontextmanager
async def zombie(scene: Scene) -> AsyncIterator[None]:
    """A gateway stands still for longer than its lease, and its clients are moved; then it goes on where it was."""
    site, port = scene.site, scene.site.gateway_ports["gateway-a"]
    await asyncio.to_thread(site.server("gateway-a").pause)
    await asyncio.sleep(NOTICED_S)
    site.balancer.targets.remove(port)
    await site.balancer.cut(target=port)
    yield
    site.server("gateway-a").resume()
    site.balancer.targets.append(port)


@asynccontextmanager
async def etcd_wiped(scene: Scene) -> AsyncIterator[None]:
    """Etcd comes back with nothing in it: who is there, and which ids whose are, has to be agreed anew.

    Both repos came to an etcd that had been in use for long.
    """
    site = scene.site
    await site.age_etcd()
    for name in ("repo-a", "repo-b"):
        await site.kill(name)
        await site.start(name)
    await site.kill("etcd")
    await asyncio.to_thread(shutil.rmtree, site.server("etcd").folder / "data")
    await site.start("etcd")
    yield
    doubled = await asyncio.to_thread(site.doubled_ids)
    scene.expect(not doubled, f"{doubled} ids given twice")
    absent = site.cluster.services.keys() - await site.registered()
    scene.expect(not absent, f"{', '.join(sorted(absent)) or 'nobody'} missing from etcd")


ZOMBIE_GATEWAY: Final = Fault(
    f"a gateway stands still for {ZOMBIE_S:.0f} s, its clients moved",
    "nobody waits for it, nobody is told anything twice by it",
    zombie,
    Gate(most_away_s=ZOMBIE_S),
    hold_s=ZOMBIE_S - NOTICED_S,
)
ETCD_WIPED: Final = Fault(
    "etcd: all it held is lost", "ids stay unique, nodes find each other again", etcd_wiped, hold_s=RENEWED_S
)
