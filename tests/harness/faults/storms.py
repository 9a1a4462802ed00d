"""Everybody at once: all connections dropped, and a gateway that asks a thousand clients to leave."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from im_bench.accounts import AccountApi
from im_gateway import drain
from im_gateway.settings import DrainSettings
from tests.harness.cluster_site import MIN_WINDOW_S
from tests.harness.fault import Fault, Gate, Inject, Scene
from tests.harness.herd import Herd
from tests.harness.workload import until

DROPPED: Final = 2_000
DRAINED: Final = 1_000
CONNECTED_S: Final = 300.0
BACK_S: Final = 60.0
LOOK_S: Final = 240.0
"""How long we look on where they take longer."""
FLUSH_S: Final = 5.0
DRAIN_SETTINGS: Final = DrainSettings(min_window_s=MIN_WINDOW_S)
UNEVEN: Final = 0.5
"""How far a third of the window may be from a third of the clients, as a share of that."""


def herd_of(count: int) -> Inject:
    """So many idle clients besides the load."""

    @asynccontextmanager
    async def gather(scene: Scene) -> AsyncIterator[None]:
        accounts = await AccountApi(scene.site.url).make("guest", count, progress=lambda _made: None)
        herd = scene.herd = Herd(scene.site.websocket_url, accounts, source=random.Random(count))
        herd.start()
        try:
            await until(lambda: herd.connected == count, CONNECTED_S)
            yield
            scene.measured += [f"{times} times {reason}" for reason, times in herd.failures.items()]
        finally:
            await herd.close()

    return gather


@asynccontextmanager
async def dropped(scene: Scene) -> AsyncIterator[None]:
    """Every connection at the balancer ends in the same moment, those of the load too."""
    herd, began = scene.herd, time.monotonic()
    assert herd is not None
    cut = await scene.site.balancer.cut()
    yield
    with suppress(TimeoutError):
        await until(lambda: herd.cut >= DROPPED and herd.connected == DROPPED, LOOK_S)
    took_s = time.monotonic() - began
    scene.expect(
        took_s <= BACK_S and herd.connected == DROPPED,
        f"{cut:,} connections dropped, {herd.connected:,} back in {took_s:.1f} s",
    )


@asynccontextmanager
async def drained(scene: Scene) -> AsyncIterator[None]:
    """SIGTERM for a gateway with half of the clients."""
    herd, balancer, port = scene.herd, scene.site.balancer, scene.site.gateway_ports["gateway-a"]
    assert herd is not None
    held, began, clock = balancer.connections[port], time.monotonic(), asyncio.get_running_loop().time()
    window_s = drain.window_s(held, others=True, settings=DRAIN_SETTINGS)
    balancer.targets.remove(port)
    await scene.site.stop("gateway-a")
    ended_s = time.monotonic() - began
    thirds = Counter(min(2, int(3 * (at - clock) / window_s)) for at in herd.moved_at)
    even = len(herd.moved_at) / 3
    scene.expect(
        ended_s <= window_s + FLUSH_S, f"{held:,} sockets left in {ended_s:.1f} s, of a window of {window_s:.1f} s"
    )
    scene.expect(
        all(abs(thirds[third] - even) < UNEVEN * even for third in range(3)),
        f"{'/'.join(str(thirds[third]) for third in range(3))} of them in each third of the window",
    )
    scene.expect(herd.cut == 0, f"{herd.cut} cut")
    await scene.site.start("gateway-a")
    balancer.targets.append(port)
    yield


ALL_DROPPED: Final = Fault(
    f"{DROPPED:,} clients dropped at once",
    "admission and jitter bring all back",
    dropped,
    Gate(away_s=BACK_S, recovery_s=BACK_S),
    hold_s=0,
    before=herd_of(DROPPED),
)
DRAIN: Final = Fault(
    f"SIGTERM with {DRAINED:,} sockets",
    "they leave spread over the window, no send fails",
    drained,
    Gate(answered=0.999),
    hold_s=0,
    before=herd_of(2 * DRAINED),
)
