"""Who is slow: clients that do not read, and an engine that takes its time."""

import asyncio
import math
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import psutil

from im_bench.accounts import AccountApi
from im_bench.adapters.im import rooms
from im_bench.adapters.im.connection import Connection
from im_bench.message_id import MessageIds
from im_cli.engines.engine import LOOPBACK
from im_proto.v1.conversation_pb2 import AddMembersRequest
from im_proto.v1.frame_pb2 import ClientFrame
from tests.harness import figures
from tests.harness.fault import Fault, Gate, Scene
from tests.harness.light import open_light
from tests.support.tcp_proxy import OPEN, Passage

SLOW_READERS: Final = 50
QUEUE_BYTES: Final = 2 * 262_144
"""What a gateway may hold for one of them: pushes and answers."""
SLACK_BYTES: Final = 24 << 20
"""By which a process may grow for other reasons."""
LONG_CHARACTERS: Final = 15_000
PACE_S: Final = 0.05
"""Between two messages to the group besides the load."""
HOLD_S: Final = 15.0
UNREAD_S: Final = 30.0
"""The kernel holds the first megabytes of each; then the gateway's bound is reached, and 10 s later it closes."""
DELAY_S: Final = 1.0


@asynccontextmanager
async def slow_readers(scene: Scene) -> AsyncIterator[None]:
    """Fifty members of the large group who view it read nothing, while long messages are sent there."""
    accounts = await AccountApi(scene.site.url).make("registered", SLOW_READERS, progress=lambda _made: None)
    owner = scene.load.senders[0].connection
    assert owner is not None
    add = AddMembersRequest(
        conversation_id=scene.load.common,
        user_ids=[account.user_id for account in accounts],
        operation_id=MessageIds().next(),
    )
    await owner.call(ClientFrame(add_members=add))
    port = scene.site.gateway_ports["gateway-a"]
    before = _rss(scene)
    readers: list[Connection] = []
    for account in accounts:
        reader = await open_light(
            f"ws://{LOOPBACK}:{port}/ws", access_token=account.access_token, device_id=account.device_id
        )
        await rooms.put_on_screen(reader, scene.load.common)
        reader.stop_reading()
        readers.append(reader)
    began = time.monotonic()
    for sender in scene.load.senders:
        sender.padding = "x" * LONG_CHARACTERS
    talking = asyncio.create_task(_talk(scene), name="slow_readers.talk")
    yield
    talking.cancel()
    with suppress(asyncio.CancelledError):
        await talking
    for sender in scene.load.senders:
        sender.padding = ""
    lagged = await asyncio.to_thread(_lagged, scene)
    closed = sum(reader.lost.done() for reader in readers)
    scene.expect(lagged >= SLOW_READERS, f"{lagged} times over the bound, {closed} closed")
    grown = {name: size - before[name] for name, size in _rss(scene).items()}
    name, most = max(grown.items(), key=lambda each: each[1])
    bound = SLOW_READERS * QUEUE_BYTES + SLACK_BYTES
    scene.expect(most <= bound, f"{name} grew by {most >> 20} MiB, bound {bound >> 20}")
    for reader in readers:
        reader.cut()
    _compare(scene, began)


@asynccontextmanager
async def slow_database(scene: Scene) -> AsyncIterator[None]:
    """What one repo says to the database and hears from it comes a second late."""
    before, began = _rss(scene), time.monotonic()
    scene.site.between("repo-a", "mariadb", Passage(delay_s=DELAY_S))
    yield
    grown = {name: size - before[name] for name, size in _rss(scene).items()}
    name, most = max(grown.items(), key=lambda each: each[1])
    scene.expect(most <= SLACK_BYTES, f"{name} grew by {most >> 20} MiB")
    _compare(scene, began)
    scene.site.between("repo-a", "mariadb", OPEN)


@asynccontextmanager
async def slow_redis(scene: Scene) -> AsyncIterator[None]:
    """Redis answers everybody after two seconds: longer than anybody waits for it."""
    before, began = _rss(scene), time.monotonic()
    scene.site.link("redis").set_passage(Passage(delay_s=DELAY_S))
    yield
    grown = {name: size - before[name] for name, size in _rss(scene).items()}
    name, most = max(grown.items(), key=lambda each: each[1])
    scene.expect(most <= SLACK_BYTES, f"{name} grew by {most >> 20} MiB")
    _compare(scene, began)
    scene.site.link("redis").set_passage(OPEN)


async def _talk(scene: Scene) -> None:
    """More in the group than the load offers there, by everybody in turn."""
    while True:
        for sender in scene.load.senders:
            sender.offer(next(lane for lane in sender.lanes if lane.conversation_id == scene.load.common))
            await asyncio.sleep(PACE_S)


def _lagged(scene: Scene) -> int:
    """How often a connection of the readers' gateway was told that its pushes were dropped."""
    port, name = scene.site.server("gateway-a").port, "im_gateway_lagged_connections_total "
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return round(sum(float(line.removeprefix(name)) for line in lines if line.startswith(name)))


def _rss(scene: Scene) -> dict[str, int]:
    """Of every service's process, in bytes."""
    return {
        name: psutil.Process(service.pid).memory_info().rss
        for name, service in scene.site.cluster.services.items()
        if service.pid is not None
    }


def _compare(scene: Scene, began: float) -> None:
    """The answers before and since, for the table."""
    happened = scene.history.happenings
    usual = figures.answer_times(happened, end=began)
    since = figures.answer_times(happened, begin=began, end=time.monotonic() - 1)
    for share in (0.5, 0.99):
        before, now = (_told(figures.quantile(times, share)) for times in (usual, since))
        scene.measured.append(f"answers p{share * 100:.0f} {before} → {now}")


def _told(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if math.isfinite(seconds) else "not answered yet"


SLOW_READERS_FAULT: Final = Fault(
    f"{SLOW_READERS} members of a large group do not read",
    "memory is bounded, the others are unharmed",
    slow_readers,
    Gate(answered=0.99),
    UNREAD_S,
)
SLOW_DATABASE: Final = Fault(
    "MariaDB answers one of two repos 2 s late", "memory is bounded, nothing is lost", slow_database, Gate(), HOLD_S
)
SLOW_REDIS: Final = Fault(
    "Redis answers 2 s late", "it counts as away: nobody waits for it", slow_redis, Gate(answered=0.99), HOLD_S
)
