"""Who is slow: clients that do not read, and an engine that takes its time."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import psutil

from im_bench.accounts import AccountApi
from im_bench.adapters.im.connection import Connection
from im_bench.load.message_id import MessageIds
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
HOLD_S: Final = 15.0
DELAY_S: Final = 1.0


@asynccontextmanager
async def slow_readers(scene: Scene) -> AsyncIterator[None]:
    """Fifty members of the large group read nothing, while long messages are sent there."""
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
        reader._transport.underlying_transport.pause_reading()  # type: ignore[union-attr]
        readers.append(reader)
    began = time.monotonic()
    for sender in scene.load.senders:
        sender.padding = "x" * 8_000
    yield
    for sender in scene.load.senders:
        sender.padding = ""
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
    usual = figures.quantile(figures.answer_times(happened, end=began), 0.5)
    since = figures.quantile(figures.answer_times(happened, begin=began, end=time.monotonic() - 1), 0.5)
    scene.measured.append(f"answers p50 {usual * 1000:.0f} → {since * 1000:.0f} ms")


SLOW_READERS_FAULT: Final = Fault(
    f"{SLOW_READERS} members of a large group do not read",
    "memory is bounded, the others are unharmed",
    slow_readers,
    Gate(answered=0.99),
    HOLD_S,
)
SLOW_DATABASE: Final = Fault(
    "MariaDB answers one of two repos 2 s late", "memory is bounded, nothing is lost", slow_database, Gate(), HOLD_S
)
SLOW_REDIS: Final = Fault(
    "Redis answers 2 s late", "it counts as away: nobody waits for it", slow_redis, Gate(answered=0.99), HOLD_S
)
