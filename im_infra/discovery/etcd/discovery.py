"""The registry on etcd, put together."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from im_infra import aio
from im_infra.clock import Clock
from im_infra.discovery.abstract import Node, Registration, WorkerLease
from im_infra.discovery.etcd.connection import EtcdConnection
from im_infra.discovery.etcd.liveness import Liveness
from im_infra.discovery.etcd.node_value import decode
from im_infra.discovery.etcd.registration import EtcdRegistration
from im_infra.discovery.etcd.workers import Workers
from im_infra.discovery.settings import EtcdSettings
from im_infra.discovery.views import Views
from im_infra.discovery.worker_claims import ClaimedWorkers, WorkerSource
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database

_LOG: Final = logs.get(__name__)

_LOOK_S: Final = 1.0
"""How often those that vanished are looked at."""
_TRY_EVERY_S: Final = 3.0
_TRY_S: Final = 2.0
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 2.0
_WITHDRAW_S: Final = 2.0


class EtcdDiscovery:
    """Who is alive, from a local view that is kept while etcd is away. Made by `open_etcd`.

    Args:
        settings: where etcd is, and how patient we are.
        clock: wall and monotonic time.
        metrics: counters.
        database: remembers worker ids, should etcd lose them; None: whoever opens it leases none.
    """

    def __init__(
        self, settings: EtcdSettings, clock: Clock, metrics: Metrics, *, database: Database | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._connection = EtcdConnection(settings)
        workers = Workers(self._connection, clock)
        self._workers: WorkerSource = workers if database is None else ClaimedWorkers(workers, database, clock)
        self._liveness = Liveness()
        self._views = Views()
        self._prefix = self._connection.key("node", "")
        self._tasks: list[asyncio.Task[object]] = []
        self._listed = metrics.gauge("im_discovery_nodes")
        self._restarts = metrics.counter("im_discovery_watch_restarts_total")
        self._losses = metrics.counter("im_discovery_lease_losses_total")

    async def open(self) -> None:
        """Read who is there, and follow it from then on. Raises ImError(UNAVAILABLE)."""
        revision = await self._read_all()
        self._tasks = [
            aio.spawn(self._follow(revision), name="discovery.follow"),
            aio.spawn(self._look(), name="discovery.look"),
        ]

    async def close(self) -> None:
        """Stop following."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.close()

    @asynccontextmanager
    async def register(self, node: Node) -> AsyncIterator[Registration]:
        """See `abstract.Discovery.register`. Raises ImError(UNAVAILABLE): etcd is away."""
        registration = EtcdRegistration(
            self._connection, node, ttl_s=self._settings.lease_ttl_s, on_lost=self._losses.inc
        )
        await registration.announce()
        keeping = aio.spawn(registration.run(), name=f"discovery.register {node.node_id}")
        try:
            yield registration
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})
            with suppress(ImError, TimeoutError):
                async with asyncio.timeout(_WITHDRAW_S):
                    await registration.withdraw()

    def nodes(self, service: str) -> Mapping[str, Node]:
        """See `abstract.Discovery.nodes`."""
        return self._views.of(service)

    def watch(self, service: str) -> AsyncIterator[Mapping[str, Node]]:
        """See `abstract.Discovery.watch`."""
        return self._views.watch(service)

    async def lease_worker(self, *, above: int = 0) -> WorkerLease:
        """See `abstract.Discovery.lease_worker`."""
        return await self._workers.lease(above=above)

    async def renew_worker(self, lease: WorkerLease) -> WorkerLease:
        """See `abstract.Discovery.renew_worker`."""
        return await self._workers.renew(lease)

    async def check(self) -> None:
        """Raise ImError(UNAVAILABLE) unless etcd answers, and speaks for a majority of its members."""
        await self._connection.check()

    async def _read_all(self) -> int:
        """Read everybody; gives the revision at which that was so."""
        response = await self._connection.range(self._prefix)
        found = [known for entry in response.kvs if (known := decode(entry.value)) is not None]
        self._liveness.see([node for node, leaving in found if not leaving], self._clock.monotonic())
        for node, leaving in found:
            if leaving:
                self._liveness.leave(node.service, node.node_id)
        self._publish()
        return int(response.header.revision)

    async def _follow(self, revision: int) -> None:
        """Follow changes for ever; whatever ends the watch, everything is read anew."""
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                await self._watch(revision + 1)
            except ImError as error:
                self._liveness.lose_sight(self._clock.monotonic())
                self._restarts.inc()
                _LOG.warning("etcd is not followed", error=error.message, next_try_s=round(wait_s, 1))
            while True:
                await asyncio.sleep(wait_s * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
                try:
                    revision = await self._read_all()
                except ImError:
                    wait_s = min(_LONGEST_WAIT_S, wait_s * 2)
                else:
                    wait_s = _FIRST_WAIT_S
                    break

    async def _watch(self, revision: int) -> None:
        stream = self._connection.watch()
        try:
            await self._connection.begin_watch(stream, self._prefix, revision)
            while True:
                for event in await self._connection.read_watch(stream):
                    self._take(event)
                self._publish()
        finally:
            stream.cancel()

    def _take(self, event: Any) -> None:  # noqa: ANN401 - generated without types
        service, _, node_id = event.kv.key.removeprefix(self._prefix).decode().partition("/")
        if event.type == event.DELETE:
            self._liveness.vanish(service, node_id, self._clock.monotonic())
            return
        found = decode(event.kv.value)
        if found is None:
            _LOG.error("a node in etcd cannot be read", service=service, node=node_id)
        elif found[1]:
            self._liveness.leave(service, node_id)
        else:
            self._liveness.put(found[0])

    async def _look(self) -> None:
        """Drop whom nothing keeps any more, and try those whose end we doubt."""
        next_try = 0.0
        while True:
            await asyncio.sleep(_LOOK_S)
            now = self._clock.monotonic()
            if self._liveness.doubted and now >= next_try:
                next_try = now + _TRY_EVERY_S
                await self._try_doubted()
            if self._liveness.is_due(now) and await self._sees() and self._liveness.drop_due(now):
                self._publish()

    async def _sees(self) -> bool:
        """Whether etcd answers at this moment: one that hangs says nothing of those that came back."""
        try:
            await self._connection.check()
        except ImError:
            return False
        return True

    async def _try_doubted(self) -> None:
        async def attempt(node: Node) -> None:
            if await _answers(node.address):
                self._liveness.answered(node)
            else:
                self._liveness.failed(node, self._clock.monotonic())

        async with asyncio.TaskGroup() as tasks:
            for node in self._liveness.doubted:
                tasks.create_task(attempt(node), name="discovery.try")

    def _publish(self) -> None:
        nodes = self._liveness.nodes
        self._listed.set(len(nodes))
        self._views.replace(nodes)


@asynccontextmanager
async def open_etcd(
    settings: EtcdSettings, clock: Clock, metrics: Metrics, *, database: Database | None = None
) -> AsyncIterator[EtcdDiscovery]:
    """The registry on etcd, open while the context is; the arguments are those of `EtcdDiscovery`.

    Raises:
        ImError: UNAVAILABLE: etcd does not answer, or does not let us in. Once it is open, it rides outages out.
        OSError: a certificate cannot be read.
    """
    discovery = EtcdDiscovery(settings, clock, metrics, database=database)
    try:
        await discovery.open()
        yield discovery
    finally:
        await discovery.close()


async def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(_TRY_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    return True
