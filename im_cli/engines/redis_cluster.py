"""A Redis Cluster: three nodes without replicas, each with a third of the slots."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from redis import Redis
from redis.exceptions import RedisError

from im_cli.engines.engine import LOOPBACK, Engine, free_port
from im_cli.engines.redis import REQUIREMENTS as REQUIREMENTS
from im_cli.engines.redis import RedisTls, redis, redis_client
from im_cli.exit_code import CommandError, ExitCode

NODES: Final = 3
_SLOTS: Final = 16_384
_AGREE_S: Final = 30.0
_LOOK_S: Final = 0.05


class RedisCluster:
    """The nodes, started and stopped together; each is an `Engine` that may be killed, paused and started again.

    Args:
        folder: for their logs, settings and what they know of each other; made if absent.
        password: of each node's default user.
        tls: speak TLS, and nothing else.
        ports: where they listen on loopback, then where they talk to each other; empty: six that are free now.
    """

    def __init__(
        self, folder: Path, *, password: str, tls: RedisTls | None = None, ports: tuple[int, ...] = ()
    ) -> None:
        self._password = password
        self._tls = tls
        found = ports or tuple(_free_ports(2 * NODES))
        self._own_ports = found[NODES:]
        self.nodes: list[Engine] = [
            redis(
                folder / f"redis-{number}",
                password=password,
                port=port,
                tls=tls,
                name=f"redis-{number}",
                options=(
                    "cluster-enabled yes",
                    f"cluster-port {own_port}",
                    f"cluster-announce-ip {LOOPBACK}",
                    "cluster-node-timeout 2000",
                    "cluster-require-full-coverage no",  # a node that is away takes its own third along, no more
                ),
            )
            for number, (port, own_port) in enumerate(zip(found[:NODES], self._own_ports, strict=True), start=1)
        ]

    @property
    def addresses(self) -> tuple[str, ...]:
        """`host:port` of each node."""
        return tuple(node.address for node in self.nodes)

    def start(self) -> None:
        """Start the nodes, make them a cluster the first time, and wait until they agree.

        Raises:
            CommandError: INTERNAL: a node ended, or they did not agree in time.
        """
        for node in self.nodes:
            node.start()
        try:
            self._meet()
        except RedisError as error:
            raise CommandError(f"the Redis nodes did not meet: {error}", code=ExitCode.INTERNAL) from error
        self.wait_agreed()

    def wait_agreed(self) -> None:
        """Wait until every node knows an owner of every slot; raises as `start`."""
        deadline = time.monotonic() + _AGREE_S
        while not all(self._agrees(node) for node in self.nodes):
            if time.monotonic() > deadline:
                raise CommandError("the Redis nodes did not agree", code=ExitCode.INTERNAL)
            time.sleep(_LOOK_S)

    def stop(self) -> None:
        """Stop the nodes."""
        for node in self.nodes:
            node.stop()

    @contextmanager
    def client(self, node: Engine) -> Iterator[Redis]:
        """An administrator's client for one node."""
        with redis_client(node.port, password=self._password, tls=self._tls) as client:
            yield client

    def _meet(self) -> None:
        """Give each node its slots and introduce it to the first; nodes that remember both are left alone."""
        for number, (node, own_port) in enumerate(zip(self.nodes, self._own_ports, strict=True)):
            with self.client(node) as client:
                if _owned(client):
                    continue
                first, last = (_SLOTS * each // NODES for each in (number, number + 1))
                client.cluster("addslotsrange", first, last - 1)
                client.cluster("set-config-epoch", number + 1)
            if number:
                with self.client(self.nodes[0]) as first_node:
                    first_node.cluster("meet", LOOPBACK, node.port, own_port)

    def _agrees(self, node: Engine) -> bool:
        try:
            with self.client(node) as client:
                known = client.cluster("info")
        except RedisError:
            return False
        return known["cluster_state"] == "ok" and int(known["cluster_slots_ok"]) == _SLOTS

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _owned(client: Redis) -> bool:
    return int(client.cluster("info")["cluster_slots_assigned"]) > 0


def _free_ports(count: int) -> set[int]:
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return found
