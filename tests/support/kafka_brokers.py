"""A Kafka of three brokers, each of which is a controller too, and may be killed and started again."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from im_cli.engines.engine import LOOPBACK, Engine, free_port
from im_cli.engines.kafka import kafka, make_cluster_id
from tests.support.kafka import jars

_COUNT: Final = 3


@contextmanager
def kafka_brokers(folder: Path) -> Iterator[Sequence[Engine]]:
    """All three, running."""
    ports = [free_port() for _ in range(_COUNT)]
    controllers = [free_port() for _ in range(_COUNT)]
    voters = ",".join(f"{number}@{LOOPBACK}:{port}" for number, port in enumerate(controllers, start=1))
    cluster_id = make_cluster_id()
    found = jars()

    def make(number: int) -> Engine:
        port, controller = ports[number - 1], controllers[number - 1]
        properties = {
            "node.id": str(number),
            "controller.quorum.voters": voters,
            "listeners": f"CLIENTS://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
            "offsets.topic.replication.factor": str(_COUNT),
            "broker.session.timeout.ms": "3000",  # so soon is one that was killed given up
            "broker.heartbeat.interval.ms": "500",
            "replica.lag.time.max.ms": "3000",
        }
        return kafka(
            folder / f"kafka-{number}",
            jars=found,
            port=port,
            heap_mib=256,
            properties=properties,
            cluster_id=cluster_id,
        )

    with ExitStack() as stack, ThreadPoolExecutor(_COUNT) as pool:
        brokers = list(pool.map(make, range(1, _COUNT + 1)))
        for broker in brokers:
            stack.callback(broker.kill)
        list(pool.map(Engine.start, brokers))
        yield brokers
