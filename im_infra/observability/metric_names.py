"""Every metric of the cluster: the one list that code, dashboards and alerts take their names from.

A name is `im_<service>_<thing>_<unit>`; counters end in `_total`. Labels have few values, known beforehand: never an id
of a user, a conversation or a connection.
"""

from typing import Final, Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]
Unit = Literal["seconds", "bytes", "items", "ratio"]


class Metric(NamedTuple):
    """One metric.

    `items` counts whatever the name says: messages, frames, connections.
    """

    name: str
    kind: Kind
    unit: Unit
    help: str
    labels: tuple[str, ...] = ()


METRICS: Final[tuple[Metric, ...]] = (
    # im_infra
    Metric("im_process_failed_tasks", "gauge", "items", "Detached tasks that ended with an exception since the start."),
    Metric("im_bus_published_total", "counter", "items", "Records taken by the bus.", ("topic",)),
    Metric("im_bus_consumed_total", "counter", "items", "Records that took effect.", ("topic",)),
    Metric("im_bus_retries_total", "counter", "items", "Deliveries that failed and will be tried again.", ("topic",)),
    Metric("im_bus_dead_letters_total", "counter", "items", "Records given up after their last try.", ("topic",)),
    # im_infra.rpc
    # im_gateway
    # im_logic
    # im_repo
    # im_task
)
