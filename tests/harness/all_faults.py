"""Which faults are run when."""

from collections.abc import Sequence
from typing import Final

from tests.harness.fault import Fault
from tests.harness.faults import (
    clocks,
    disk,
    engines,
    fencing,
    kills,
    partitions,
    records,
    repeats,
    rolling,
    slow,
    storms,
)

QUICK: Final[Sequence[Sequence[Fault]]] = (
    (kills.GATEWAY, kills.LOGIC, kills.REPO, kills.TASK),
    (
        repeats.SAME_SEND,
        records.POISON_RECORD,
        engines.REDIS_FLUSHED,
        engines.KAFKA_RESTARTED,
        partitions.ALL_LOGICS_SILENT,
    ),
)
"""Those of every test run; each row is one load with one fault after the other."""

LONG: Final[Sequence[Fault]] = (
    engines.DATABASE,
    engines.REDIS_KILLED,
    engines.REDIS_FLUSHED,
    engines.REDIS_AWAY,
    engines.KAFKA_RESTARTED,
    engines.KAFKA_AWAY,
    engines.ETCD_AWAY,
    engines.ETCD_PAUSED,
    partitions.LOGIC_SILENT,
    partitions.LOGIC_REFUSED,
    partitions.ALL_LOGICS_SILENT,
    partitions.LOGIC_DEAF,
    partitions.LOGIC_DUMB,
    partitions.REDIS_SILENT,
    partitions.REDIS_ONE_WAY,
    partitions.ETCD_SILENT,
    partitions.ETCD_ONE_WAY,
    slow.SLOW_READERS_FAULT,
    slow.SLOW_DATABASE,
    slow.SLOW_REDIS,
    *clocks.JUMPS,
    clocks.PAST,
    clocks.LEASE_LOST,
    fencing.ZOMBIE_GATEWAY,
    fencing.ETCD_WIPED,
    records.POISON_RECORD,
    records.REBALANCE_STORM,
    repeats.SAME_SEND,
    storms.ALL_DROPPED,
    storms.DRAIN,
    rolling.RESTART,
)
"""Those of `make faults`, each with a load of its own; besides them the rounds of kills, and the full disk."""

KILLS: Final[Sequence[Fault]] = (kills.GATEWAY, kills.LOGIC, kills.REPO, kills.TASK)
DISK: Final = disk.FULL
