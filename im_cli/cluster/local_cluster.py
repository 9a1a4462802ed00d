"""A running distributed cluster on this machine."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from im_cli.cluster.detour import Detour, straight
from im_cli.cluster.engine_set import EngineSet
from im_cli.cluster.service import ServicePorts, service
from im_cli.cluster.shape import Member, Shape, Together
from im_cli.cluster.state_file import Running, State
from im_cli.engines.engine import LOOPBACK, Engine, free_port
from im_cli.secret_file import load_or_make

SECRETS: Final = "secrets.json"
CONFIG: Final = "cluster.toml"


class LocalCluster:
    """Engines and services as processes of this machine, each to be killed, paused and started again.

    Args:
        folder: holds everything: data, settings, secrets, logs. Made if absent.
        shape: how many of each service.
        first_port: the gateways' public ports are this one and those after it; 0: free ones.
        settings: `IM_…` variables of every service.
        kafka_cache: where Kafka's jars are kept, for all clusters of this user; None: in the usual cache folder.
        detour: tells how the services reach each engine and each other; asked once for each, or more often.
    """

    def __init__(
        self,
        folder: Path,
        shape: Shape | Together | None = None,
        *,
        first_port: int = 0,
        settings: Mapping[str, str] | None = None,
        kafka_cache: Path | None = None,
        detour: Detour = straight,
    ) -> None:
        self._folder = folder.absolute()  # servers that it starts work in folders of their own
        self._shape = shape or Shape()
        self._first_port = first_port
        self._settings = dict(settings or {})
        self._ports: dict[str, ServicePorts] = {}
        self._detour = detour
        self.engine_set = EngineSet(self._folder, kafka_cache=kafka_cache, detour=detour)
        self.services: dict[str, Engine] = {}
        """By name: `gateway-a`."""

    @property
    def config(self) -> Path:
        """The settings that all processes share."""
        return self._folder / CONFIG

    @property
    def engines(self) -> Mapping[str, Engine]:
        """By name: `mariadb`, `redis`, `kafka`, `etcd`."""
        return self.engine_set.engines

    @property
    def urls(self) -> list[str]:
        """Of the gateways, in order."""
        return [f"http://{LOOPBACK}:{ports.public}" for ports in self._ports.values() if ports.public]

    @property
    def servers(self) -> Iterator[Engine]:
        """Everything that runs, in the order of its start."""
        yield from self.engines.values()
        yield from self.services.values()

    def prepare(self) -> None:
        """Make the folder, the secrets, the settings and whatever the engines need before their first start."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        load_or_make(self._folder / SECRETS)
        self.engine_set.prepare()
        self.config.touch(mode=0o600)
        self.config.write_text(self.engine_set.settings(secrets=self._folder / SECRETS), encoding="utf-8")
        for member in self._shape.members():
            self._add(member)

    def start(self) -> None:
        """Start everything: first the engines, side by side, then the services.

        Raises:
            CommandError: INTERNAL: something did not become ready; what was started is stopped again.
        """
        try:
            self.start_engines()
            self.start_services()
        except BaseException:
            self.stop()
            raise

    def start_engines(self) -> None:
        """Start the engines only."""
        _start_all(self.engines.values())

    def start_services(self) -> None:
        """Start the services only; they wait for each other."""
        _start_all(self.services.values())

    def stop(self) -> None:
        """Stop everything: clients' side first, engines last."""
        for group in (reversed(list(self.services.values())), self.engines.values()):
            with ThreadPoolExecutor(8, thread_name_prefix="stop") as threads:
                list(threads.map(Engine.stop, group))

    def state(self) -> State:
        """What a later command must know."""
        running = [
            Running.of(server.name, server.pid, stop_s=server.stop_s)
            for server in self.servers
            if server.pid is not None
        ]
        return State(
            urls=self.urls,
            config=str(self.config.resolve()),
            processes=running[::-1],
            internal_urls={name: f"http://{LOOPBACK}:{ports.internal}" for name, ports in self._ports.items()},
        )

    def _add(self, member: Member) -> None:
        public = 0
        if "gateway" in member.services:
            public = self._first_port + len(self.urls) if self._first_port else free_port()
        ports = self._ports[member.name] = ServicePorts(rpc=free_port(), internal=free_port(), public=public)
        settings = {**self._settings, "IM_RPC__ADVERTISE": f"{LOOPBACK}:{self._detour(member.name, ports.rpc)}"}
        self.services[member.name] = service(
            member, folder=self._folder, config=self.config, ports=ports, settings=settings
        )


@contextmanager
def local_cluster(
    folder: Path, shape: Shape | Together | None = None, *, settings: Mapping[str, str] | None = None
) -> Iterator[LocalCluster]:
    """A cluster that runs while the context is open; what it stored stays in the folder.

    Raises:
        CommandError: as `LocalCluster.start`.
    """
    cluster = LocalCluster(folder, shape, settings=settings)
    cluster.prepare()
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


def _start_all(servers: Iterable[Engine]) -> None:
    with ThreadPoolExecutor(8, thread_name_prefix="start") as threads:
        list(threads.map(Engine.start, servers))
