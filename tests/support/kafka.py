"""One Kafka broker for a whole test run, shared by its worker processes; each test has a topic prefix of its own."""

import fcntl
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
import pytest

from im_cli.engines.engine import Engine
from im_cli.engines.kafka import REQUIREMENTS, fetch_kafka, kafka
from tests.support.engines import require

CACHE: Final = Path(__file__).resolve().parents[2] / ".engines"
"""Where the jars are kept from run to run."""

_LEFT_RUNNING: Final[list[Engine]] = []
"""Started here, and in use by another worker."""


def jars() -> Path:
    """Kafka's jars; skips where Java or Maven is missing."""
    require(REQUIREMENTS)
    return fetch_kafka(CACHE)


def topic_prefix() -> str:
    """A prefix that no other test has."""
    return f"{secrets.token_hex(4)}."


@pytest.fixture(scope="session")
def kafka_address(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """`host:port` of the run's broker: the first worker that asks starts it, the last one that ends stops it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "shared-kafka"
    folder.mkdir(exist_ok=True)
    state = folder / "state.json"
    engine: Engine | None = None
    with _locked(folder):
        shared = json.loads(state.read_text()) if state.exists() else {"users": 0}
        if not shared["users"]:
            engine = kafka(folder / "broker", jars=jars())
            engine.start()
            shared = {"users": 0, "address": engine.address, "pid": engine.pid}
        shared["users"] += 1
        state.write_text(json.dumps(shared))
    yield shared["address"]
    with _locked(folder):
        shared = json.loads(state.read_text())
        shared["users"] -= 1
        state.write_text(json.dumps(shared))
        if not shared["users"]:
            psutil.Process(shared["pid"]).kill()  # nobody wants its data any more
    if engine is not None:
        if shared["users"]:
            _LEFT_RUNNING.append(engine)
        else:
            engine.kill()


@pytest.fixture(scope="module")
def module_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with kafka(tmp_path_factory.mktemp("kafka"), jars=jars(), heap_mib=256) as engine:
        yield engine


@pytest.fixture
def own_kafka(module_kafka: Engine) -> Engine:
    """A broker that tests may kill and pause, running; those of a module have one after the other."""
    module_kafka.resume()
    if module_kafka.pid is None:
        module_kafka.start()
    return module_kafka


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
