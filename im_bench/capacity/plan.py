"""How many processes, how much memory and how large a disk: arithmetic on measured unit costs."""

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

DAY_S: Final = 86_400
LEAST: Final = 2
"""Of each service, so that one may restart."""
SERVICES: Final = ("gateway", "logic", "repo", "task")
DIVIDE: Final = ("deliveries_per_gateway_cpu_s", "connections_per_gateway")
"""Tables of the unit costs that a load is divided by."""
MOST_COST: Final = 1_000_000_000
"""Of a unit, whatever it is counted in: more is a slip of the finger."""
LARGEST_PRIMARY: Final = (64, 512 * 1024)
"""Cores and MiB of memory that one database server may have before it is hard to buy."""
Costs = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a cluster."""

    users: int
    messages_per_day: float
    """That each user sends."""
    online: float
    """The share of users who are connected at the busiest time."""
    peak: float
    """The busiest second over the average one."""
    text_bytes: int
    group_share: float
    """The share of messages that go to groups; the others are private."""
    group_size: int
    keep_days: int
    hot_days: int
    """Days of history that people read: the database holds them in memory."""
    busy: float
    """The share of a core that a process may use at the busiest time."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one kind of process needs."""

    name: str
    count: int
    cores: float
    """Busy at the peak, all of them together."""
    mib_each: float
    why: str


@dataclass(frozen=True, slots=True)
class CapacityPlan:
    """What is needed."""

    connections: int
    messages_per_s: float
    """At the busiest time."""
    deliveries_per_s: float
    """At the busiest time, those to who is online."""
    needs: tuple[Need, ...]
    disk_gib: float
    """Of the database, after the days that are kept."""
    binary_log_gib_per_day: float
    warnings: tuple[str, ...] = ()
    """What the arithmetic comes to and no machine can do."""


def read_costs(path: Path | None) -> Costs:
    """The unit costs of a file; None: those that ship with the load tester.

    Raises:
        ValueError: it lacks one, or holds something else.
    """
    shipped: Costs = tomllib.loads(files(__package__).joinpath("unit_costs.toml").read_text(encoding="utf-8"))
    if path is None:
        return shipped
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    for table, costs in given.items():
        if table not in shipped:
            raise ValueError(f"{path}: unknown {table}: it is one of {', '.join(shipped)}")
        if not isinstance(costs, dict):
            raise ValueError(f"{path}: {table} must be a table")  # noqa: TRY004 - what is wrong is the file
        if unknown := next((name for name in costs if name not in shipped[table]), None):
            raise ValueError(f"{path}: unknown {table}.{unknown}: it is one of {', '.join(shipped[table])}")
    for table, costs in shipped.items():
        for name in costs:
            value, least = given.get(table, {}).get(name), 1 if table in DIVIDE else 0
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= MOST_COST:
                raise ValueError(f"{path}: {table}.{name} must be a number from {least} to {MOST_COST:,}")
    return given


def make_plan(demand: Demand, costs: Costs) -> CapacityPlan:
    """Multiply."""
    connections = math.ceil(demand.users * demand.online)
    messages_per_day = demand.users * demand.messages_per_day
    messages_per_s = messages_per_day / DAY_S * demand.peak
    readers = (1 - demand.group_share) + demand.group_share * max(0, demand.group_size - 1)
    deliveries_per_s = messages_per_s * readers * demand.online
    disk = costs["disk_bytes_per_message"]
    stored = messages_per_day * (demand.text_bytes + disk["mariadb_beside_the_text"])
    logged = messages_per_day * (demand.text_bytes + disk["binary_log_beside_the_text"])
    needs = (
        *_services(demand, costs, connections, messages_per_s, deliveries_per_s),
        *_engines(costs, connections, messages_per_s, hot_mib=stored * demand.hot_days / 2**20),
    )
    return CapacityPlan(
        connections=connections,
        messages_per_s=messages_per_s,
        deliveries_per_s=deliveries_per_s,
        needs=needs,
        disk_gib=stored * demand.keep_days / 2**30,
        binary_log_gib_per_day=logged / 2**30,
        warnings=tuple(_warnings(needs)),
    )


def _warnings(needs: Sequence[Need]) -> Iterator[str]:
    primary = next(need for need in needs if need.name == "mariadb")
    cores, mib = LARGEST_PRIMARY
    if primary.cores > cores or primary.mib_each > mib:
        yield (
            f"one MariaDB primary would need {primary.cores:,.0f} cores and {primary.mib_each / 1024:,.0f} GiB of memory: "
            'it is what ends first, see docs/how-to/size-a-cluster.md, "Where it ends"'
        )


def _services(
    demand: Demand, costs: Costs, connections: int, messages_per_s: float, deliveries_per_s: float
) -> list[Need]:
    cpu, rest = costs["cpu_ms_per_message"], costs["mib_at_rest"]
    # The cost of a private message holds one delivery; what groups add to it is dearer than nothing and cheaper than that.
    beyond = max(0.0, deliveries_per_s - messages_per_s)
    cores = {
        "gateway": messages_per_s * cpu["gateway"] / 1000
        + beyond / costs["deliveries_per_gateway_cpu_s"]["large_group"],
        "logic": messages_per_s * cpu["logic"] / 1000,
        "repo": messages_per_s * cpu["repo"] / 1000,
        "task": 0.0,
    }
    by_connections = math.ceil(connections / costs["connections_per_gateway"]["most"])
    needs = []
    for name in SERVICES:
        by_cpu = math.ceil(cores[name] / demand.busy)
        least = max(LEAST, by_connections if name == "gateway" else 0)
        count = max(least, by_cpu)
        mib = rest[name]
        if name == "gateway":
            mib += costs["kib_per_connection"]["gateway"] * connections / count / 1024
        why = "its CPU" if by_cpu > least else "connections" if least > LEAST else "one may restart"
        needs.append(Need(name, count, round(cores[name], 2), round(mib), why))
    return needs


def _engines(costs: Costs, connections: int, messages_per_s: float, *, hot_mib: float) -> list[Need]:
    cpu, rest = costs["cpu_ms_per_message"], costs["mib_at_rest"]
    redis_mib = rest["redis"] + 2 * costs["kib_per_connection"]["redis"] * connections / 1024
    database_cores = round(messages_per_s * cpu["mariadb"] / 1000, 2)
    return [
        Need("mariadb", 1, database_cores, round(rest["mariadb"] + hot_mib), "its recent messages in memory"),
        Need("redis", 1, 0.0, round(redis_mib), "twice what connections need"),
        Need("kafka", 3, round(messages_per_s * cpu["rest"] / 1000, 2), round(rest["kafka"]), "its smallest sensible installation"),
        Need("etcd", 3, 0.0, round(rest["etcd"]), "its smallest sensible installation"),
    ]  # fmt: skip
