"""A distributed cluster on this machine: clients come through a balancer, processes reach each other through proxies."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Final

import pymysql
from aetcd import rpc
from pydantic import SecretStr
from pymysql.cursors import Cursor

from im_cli.cluster.local_cluster import LocalCluster
from im_cli.cluster.shape import Shape
from im_cli.engines.engine import LOOPBACK, Engine, free_port
from im_infra.discovery.etcd.connection import EtcdConnection
from im_infra.discovery.settings import EtcdSettings
from im_repo.log.fanout_class import FanoutBounds
from im_repo.log.values import FANOUT_LARGE
from tests.harness.checkers import Row
from tests.harness.stored import from_cursor
from tests.harness.supervisor import ROOT, UNLIMITED
from tests.support.callers import name_caller
from tests.support.kafka import jars
from tests.support.tcp_proxy import NO_ANSWERS, NO_REQUESTS, OPEN, Passage, TcpProxy

_CHANGES: Final = 1_000
MIN_WINDOW_S: Final = 3.0
SETTINGS: Final[Mapping[str, str]] = {
    **UNLIMITED,
    "IM_REPO__FANOUT__LARGE_ABOVE": "12",
    "IM_REPO__FANOUT__SMALL_BELOW": "10",
    "IM_GATEWAY__DRAIN__MIN_WINDOW_S": str(MIN_WINDOW_S),
}
"""Groups are large from 13 members on, and a draining gateway gives its clients 3 s: a run says in seconds what it would
in minutes."""


class ClusterSite:
    """The cluster, and what stands between its parts.

    Args:
        folder: for everything that it writes.
        shape: how many of each service.
        settings: `IM_…` variables of every service, besides `SETTINGS`.
    """

    def __init__(self, folder: Path, shape: Shape | None = None, *, settings: Mapping[str, str] | None = None) -> None:
        self._proxies: dict[str, tuple[TcpProxy, int]] = {}
        self.cluster = LocalCluster(
            folder,
            shape,
            settings={**SETTINGS, **(settings or {})},
            kafka_cache=jars().parent,
            detour=self._put_between,
        )
        self.balancer = TcpProxy()
        self.port = free_port()

    @property
    def url(self) -> str:
        """The balancer's, for HTTP."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def websocket_url(self) -> str:
        """The balancer's, for frames."""
        return f"ws://{LOOPBACK}:{self.port}/ws"

    @property
    def gateway_ports(self) -> dict[str, int]:
        """Where each gateway listens for clients, by name."""
        names = [name for name in self.cluster.services if name.startswith("gateway")]
        ports = [int(url.rpartition(":")[2]) for url in self.cluster.urls]
        return dict(zip(names, ports, strict=True))

    @asynccontextmanager
    async def running(self, prepared: "Callable[[ClusterSite], None]" = lambda _site: None) -> AsyncIterator[None]:
        """Run all of it while the context is open.

        Args:
            prepared: called before anything starts, to change how something is run.
        """
        await asyncio.to_thread(self.cluster.prepare)
        prepared(self)
        self.balancer.targets = list(self.gateway_ports.values())
        async with AsyncExitStack() as stack:
            for proxy, port in self._proxies.values():
                await stack.enter_async_context(proxy.open(port))
            await stack.enter_async_context(self.balancer.open(self.port))
            try:
                await asyncio.to_thread(self.cluster.start)
                yield
            finally:
                await asyncio.to_thread(self.cluster.stop)

    def server(self, name: str) -> Engine:
        """An engine or a service's process."""
        return {**self.cluster.engines, **self.cluster.services}[name]

    async def kill(self, *names: str) -> None:
        """SIGKILL."""
        for name in names:
            await asyncio.to_thread(self.server(name).kill)

    async def start(self, *names: str) -> None:
        """Start them side by side, and wait until each is ready."""
        async with asyncio.TaskGroup() as tasks:
            for name in names:
                tasks.create_task(asyncio.to_thread(self.server(name).start))

    async def stop(self, *names: str) -> None:
        """SIGTERM, side by side, and wait until each has ended."""
        async with asyncio.TaskGroup() as tasks:
            for name in names:
                tasks.create_task(asyncio.to_thread(self.server(name).stop))

    async def plant(self, bug: str, *names: str) -> None:
        """Restart processes with a bug of `planted.BUGS` in them; without one for an empty name."""
        for name in names:
            server = self.server(name)
            flags = list(server.command[server.command.index("serve") :])
            program = ["tests.harness.planted", bug] if bug else ["im_cli.main"]
            server.command = [sys.executable, "-m", *program, *flags]
            server.environment = {**server.environment, "PYTHONPATH": str(ROOT)}
        await self.stop(*names)
        await self.start(*names)

    async def age_etcd(self) -> None:
        """Let etcd count as many changes as after hours: what it tells from now on bears that."""
        async with self._etcd() as connection:
            change = rpc.PutRequest(key=connection.key("aged"), value=b"")
            for _ in range(_CHANGES):
                await connection.transact(rpc.TxnRequest(success=[rpc.RequestOp(request_put=change)]))

    async def registered(self) -> set[str]:
        """The processes that others can find."""
        async with self._etcd() as connection:
            found = await connection.range(connection.key("node", ""))
        return {entry.key.decode().rsplit("/", 1)[1] for entry in found.kvs}

    def link(self, name: str) -> TcpProxy:
        """What others reach a server through."""
        return self._proxies[name][0]

    def between(self, one: str, other: str, passage: Passage) -> None:
        """Set what passes between two, whoever called whom; `there` is what `one` sends."""
        back = {NO_REQUESTS: NO_ANSWERS, NO_ANSWERS: NO_REQUESTS}.get(passage, passage)
        for caller, called, seen in ((one, other, passage), (other, one, back)):
            if called in self._proxies and caller in self.cluster.services:
                self.link(called).set_passage(seen, caller=caller)

    async def heal(self) -> None:
        """Everything passes, and whatever is not running starts."""
        for proxy, _ in self._proxies.values():
            proxy.set_passage(OPEN)
        self.balancer.set_passage(OPEN)
        self.balancer.targets = list(self.gateway_ports.values())
        for server in self.cluster.servers:
            server.resume()
        await self.start(*(name for name, engine in self.cluster.engines.items() if engine.pid is None))
        await self.start(*(name for name, service in self.cluster.services.items() if service.pid is None))

    def stored(self, conversations: Collection[int]) -> dict[int, list[Row]]:
        """The logs in the database itself.

        Raises:
            AssertionError: they are not whole.
        """
        with self._database() as cursor:
            return from_cursor(cursor, conversations)

    def doubled_ids(self) -> int:
        """How many message ids were given more than once."""
        with self._database() as cursor:
            cursor.execute("SELECT COUNT(*) - COUNT(DISTINCT message_id) FROM message")
            ((doubled,),) = cursor.fetchall()
            return int(doubled)

    def is_large(self, conversation_id: int) -> bool:
        """Whether a conversation is fanned out as a large one."""
        with self._database() as cursor:
            cursor.execute("SELECT fanout FROM conversation WHERE conversation_id = %s", (conversation_id,))
            ((fanout,),) = cursor.fetchall()
            return bool(fanout == FANOUT_LARGE)

    def end_overlap(self, conversation_id: int) -> None:
        """Make a conversation that has just become large one that only task fans out: in the overlap logic does, too."""
        with self._database() as cursor:
            cursor.execute(
                "UPDATE conversation SET fanout_time = fanout_time - %s WHERE conversation_id = %s AND fanout = %s",
                (FanoutBounds().both_ways_ms, conversation_id, FANOUT_LARGE),
            )
            assert cursor.rowcount == 1, "it is not large"
            cursor.connection.commit()

    @asynccontextmanager
    async def _etcd(self) -> AsyncIterator[EtcdConnection]:
        settings = EtcdSettings(
            endpoints=(self.server("etcd").address,),
            user="im",
            password=SecretStr(self.cluster.engine_set.password("etcd")),
        )
        connection = EtcdConnection(settings)
        try:
            yield connection
        finally:
            await connection.close()

    @contextmanager
    def _database(self) -> Iterator[Cursor]:
        engine, password = self.cluster.engines["mariadb"], self.cluster.engine_set.password("mariadb")
        connection = pymysql.connect(host=LOOPBACK, port=engine.port, user="im", password=password, database="im")
        with closing(connection), connection.cursor() as cursor:
            yield cursor

    def _put_between(self, name: str, port: int) -> int:
        if name not in self._proxies:
            self._proxies[name] = (TcpProxy(port, name_caller=self._name_caller), free_port())
        return self._proxies[name][1]

    def _name_caller(self, port: int) -> str:
        pids = {name: service.pid for name, service in self.cluster.services.items() if service.pid is not None}
        return name_caller(port, pids)
