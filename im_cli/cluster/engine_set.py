"""The engines of a cluster on one machine, and the settings that lead to them."""

import json
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from im_cli.cluster.detour import Detour, straight
from im_cli.engines import etcd, kafka, mariadb, redis
from im_cli.engines.engine import LOOPBACK, Engine, free_port

REQUIREMENTS: Final = (*mariadb.REQUIREMENTS, *redis.REQUIREMENTS, *kafka.REQUIREMENTS, *etcd.REQUIREMENTS)
_PASSWORD_BYTES: Final = 24


class EngineSet:
    """MariaDB, Redis, Kafka and etcd, each in a folder of its own.

    Passwords are made once and kept in the folder, for its owner only.

    Args:
        folder: of the whole cluster; exists when `prepare` is called.
        kafka_cache: where Kafka's jars are kept, for all clusters of this user; None: in the usual cache folder.
        detour: tells how the services reach each engine.
    """

    def __init__(self, folder: Path, *, kafka_cache: Path | None = None, detour: Detour = straight) -> None:
        self._folder = folder
        self._detour = detour
        self._kafka_cache = kafka_cache or Path.home() / ".cache" / "im-cluster"
        self._passwords: dict[str, str] = {}
        self.engines: dict[str, Engine] = {}
        """By name, once prepared."""

    def prepare(self) -> None:
        """Make what each needs before its first start, side by side: minutes, where Kafka has to be fetched.

        Raises:
            CommandError: INTERNAL: one of them could not be made or fetched.
        """
        self._passwords = _passwords(self._folder / "passwords.json")
        makers: dict[str, Callable[[], Engine]] = {
            "mariadb": lambda: mariadb.mariadb(
                self._folder / "mariadb", mariadb.MariadbAccount(password=self._passwords["mariadb"])
            ),
            "redis": lambda: redis.redis(self._folder / "redis", password=self._passwords["redis"]),
            "kafka": self._make_kafka,
            "etcd": lambda: etcd.etcd(self._folder / "etcd", etcd.EtcdAccount(password=self._passwords["etcd"])),
        }
        with ThreadPoolExecutor(len(makers), thread_name_prefix="prepare") as threads:
            made = {name: threads.submit(make) for name, make in makers.items()}
        self.engines = {name: engine.result() for name, engine in made.items()}

    def password(self, name: str) -> str:
        """Of an engine's account for the cluster, `im`."""
        return self._passwords[name]

    def settings(self, *, secrets: Path) -> str:
        """TOML for all processes of the cluster."""
        return to_toml(
            {
                "secrets": {"file": str(secrets.resolve())},
                "log": {"format": "json"},
                "sql": {
                    "kind": "mysql",
                    "mysql": {"port": self._port("mariadb"), "password": self._passwords["mariadb"]},
                },
                "cache": {
                    "kind": "redis",
                    "redis": {"addresses": [self._address("redis")], "password": self._passwords["redis"]},
                },
                "bus": {
                    "kind": "kafka",
                    "kafka": {
                        "bootstrap_servers": [self._address("kafka")],
                        "replication_factor": 1,
                        "min_insync_replicas": 1,
                        "sasl": {"mechanism": "PLAIN", "username": "im", "password": self._passwords["kafka"]},
                    },
                },
                "discovery": {
                    "kind": "etcd",
                    "etcd": {
                        "endpoints": [self._address("etcd")],
                        "user": "im",
                        "password": self._passwords["etcd"],
                    },
                },
            }
        )

    def _make_kafka(self) -> Engine:
        port = free_port()
        advertised = {"advertised.listeners": f"CLIENTS://{LOOPBACK}:{self._detour('kafka', port)}"}
        return kafka.kafka(
            self._folder / "kafka",
            jars=kafka.fetch_kafka(self._kafka_cache),
            port=port,
            account=kafka.KafkaAccount(password=self._passwords["kafka"]),
            properties=advertised,
        )

    def _port(self, name: str) -> int:
        return self._detour(name, self.engines[name].port)

    def _address(self, name: str) -> str:
        return f"{LOOPBACK}:{self._port(name)}"


def to_toml(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """Nested tables of strings, numbers and lists of strings, which TOML and JSON write the same way."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in tree.items() if not isinstance(value, Mapping)]
    if lines and path:
        lines.insert(0, f"[{'.'.join(path)}]")
    text = "".join(f"{line}\n" for line in lines)
    return text + "".join(to_toml(value, (*path, key)) for key, value in tree.items() if isinstance(value, Mapping))


def _passwords(path: Path) -> dict[str, str]:
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    made = {name: secrets.token_urlsafe(_PASSWORD_BYTES) for name in ("mariadb", "redis", "kafka", "etcd")}
    path.touch(mode=0o600)
    path.write_text(json.dumps(made), encoding="utf-8")
    return made
