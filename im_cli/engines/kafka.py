"""Kafka: the bus of a distributed cluster, one broker that is its own controller (KRaft, no ZooKeeper).

Debian has no package of it: its jars come from Maven Central, once, into a folder that all brokers of a machine share.
"""

import base64
import fcntl
import socket
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from im_cli.engines.engine import LOOPBACK, Engine, Requirement, free_port
from im_cli.exit_code import CommandError, ExitCode

VERSION: Final = "4.1.0"
_JAVA: Final = Requirement("java", "openjdk-17-jre-headless")
_MAVEN: Final = Requirement("mvn", "maven")
REQUIREMENTS: Final = (_JAVA, _MAVEN)

_FETCH_S: Final = 300.0
_FORMAT_S: Final = 60.0
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_POM: Final = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>im</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version>
    </dependency>
  </dependencies>
</project>
"""
_JVM: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""It shares the machine with a whole cluster: ready in half the time, for two thirds of the CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaAccount:
    """Who may come in; with it nobody else may."""

    password: str
    user: str = "im"


@dataclass(frozen=True, slots=True)
class KafkaTls:
    """PEM files of the broker; with them it speaks TLS alone to its clients."""

    certificate: Path
    key: Path
    """PKCS #8."""
    authority: Path
    """Who signed the certificate: the broker is a client of itself."""


def fetch_kafka(cache: Path) -> Path:
    """The folder with the jars, `kafka-VERSION` in `cache`; fetched where it is missing, 43 MB.

    Several processes may ask at once.

    Raises:
        CommandError: INTERNAL: they could not be fetched; Maven's last words are in the message.
    """
    jars = cache.absolute() / f"kafka-{VERSION}"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock, TemporaryDirectory(dir=cache) as scratch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.is_dir():
            (Path(scratch) / "pom.xml").write_text(_POM, encoding="utf-8")
            fetched = Path(scratch) / "jars"
            options = ["-DincludeScope=runtime", f"-DoutputDirectory={fetched}"]
            command = [_MAVEN.find() or _MAVEN.program, "--quiet", "--batch-mode", _COPY, *options]
            _run(command, Path(scratch), _FETCH_S, "the jars of kafka could not be fetched")
            fetched.rename(jars)
    return jars


def kafka(
    folder: Path,
    *,
    jars: Path,
    port: int = 0,
    tls: KafkaTls | None = None,
    account: KafkaAccount | None = None,
    heap_mib: int = 512,
    properties: Mapping[str, str] | None = None,
    cluster_id: str = "",
) -> Engine:
    """A broker in `folder`, not started; its data is made there where there is none.

    Args:
        folder: for its data, log and settings; made if absent.
        jars: what `fetch_kafka` gave.
        port: where it listens on loopback; 0: one that is free now.
        tls: speak TLS to clients, and nothing else.
        account: ask clients for a name and a password (SASL PLAIN).
        heap_mib: memory of the Java machine, in MiB.
        properties: further properties of the broker; each replaces one of ours.
        cluster_id: what all brokers of a cluster agree on; empty: one of its own.

    Raises:
        CommandError: INTERNAL: the data could not be made; its last words are in the message.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    java = [_JAVA.find() or _JAVA.program, f"-Xmx{heap_mib}m", *_JVM, "-cp", f"{jars}/*"]
    settings = _write_properties(folder, {**_properties(folder, port, tls, account), **(properties or {})})
    if not (folder / "data" / "meta.properties").is_file():
        formatting = ["kafka.tools.StorageTool", "format", "-t", cluster_id or make_cluster_id(), "-c", str(settings)]
        _run([*java, *formatting], folder, _FORMAT_S, "kafka could not make its data")
    return Engine("kafka", [*java, "kafka.Kafka", str(settings)], folder, port, lambda: _listens(port))


def _properties(folder: Path, port: int, tls: KafkaTls | None, account: KafkaAccount | None) -> dict[str, str]:
    controller = free_port()
    protocol = ("SASL_" if account else "") + ("SSL" if tls else "PLAINTEXT")
    made = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        "listeners": f"CLIENTS://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": f"CLIENTS://{LOOPBACK}:{port}",
        "listener.security.protocol.map": f"CLIENTS:{protocol},CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(folder / "data"),
        "auto.create.topics.enable": "false",
        "unclean.leader.election.enable": "false",
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "controlled.shutdown.enable": "false",  # there is no other broker that could take over
    }
    if tls:
        pem = folder / "server.pem"
        _write_secret(pem, tls.key.read_text(encoding="utf-8") + tls.certificate.read_text(encoding="utf-8"))
        made |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(pem),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(tls.authority),
        }
    if account:
        user, password = _quoted(account.user), _quoted(account.password)
        made |= {
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.clients.plain.sasl.jaas.config": (
                "org.apache.kafka.common.security.plain.PlainLoginModule required"
                f" username={user} password={password} user_{account.user}={password};"
            ),
        }
    return made


def _write_properties(folder: Path, properties: Mapping[str, str]) -> Path:
    """What it reads at its start: only its owner may read it, since a password may be in it."""
    path = folder / "server.properties"
    escaped = (f"{name}={value}".replace("\\", "\\\\") for name, value in properties.items())
    _write_secret(path, "".join(f"{line}\n" for line in escaped))
    return path


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def make_cluster_id() -> str:
    """A UUID as Kafka writes it; one that begins with a dash would be taken for an option."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def _run(command: list[str], folder: Path, timeout_s: float, failure: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=timeout_s, cwd=folder)  # noqa: S603 - named by us
    except (OSError, subprocess.SubprocessError) as error:
        said = "\n".join(str(getattr(error, stream, "") or "") for stream in ("stdout", "stderr"))
        raise CommandError(f"{failure}:\n{said.strip()[-2000:] or error}", code=ExitCode.INTERNAL) from error


def _listens(port: int) -> bool:
    """Whether it takes connections: it opens its port last."""
    with socket.create_connection((LOOPBACK, port), timeout=1):
        return True
