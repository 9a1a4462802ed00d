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
    Metric("im_logic_password_hash_seconds", "histogram", "seconds", "Time of one Argon2id hash in its thread."),
    Metric("im_logic_password_hashes_refused_total", "counter", "items", "Hashes refused because too many waited."),
    Metric("im_logic_entered_total", "counter", "items", "Ways in that were tried, by outcome.", ("way", "outcome")),
    Metric(
        "im_logic_hellos_total", "counter", "items", "Hellos, by credential and outcome.", ("credential", "outcome")
    ),
    Metric("im_logic_kicked_total", "counter", "items", "Connections closed for another's sake.", ("why",)),
    Metric("im_logic_appends_total", "counter", "items", "Entries that repo stored, or had stored before."),
    Metric("im_logic_appends_sent_back_total", "counter", "items", "Entries decided again, as rights had changed."),
    Metric("im_logic_pushes_total", "counter", "items", "Pushes to gateways, one per gateway and frame."),
    Metric(
        "im_logic_deliveries_dropped_total", "counter", "items", "Deliveries dropped at a full queue or lost stream."
    ),
    Metric("im_logic_fanout_published_total", "counter", "items", "Entries handed to the bus for large fan-out."),
    Metric("im_logic_redelivered_total", "counter", "items", "Entries delivered again, unconfirmed or repeated."),
    Metric("im_logic_cached_conversations", "gauge", "items", "Conversations whose state is in memory."),
    # im_repo
    Metric("im_repo_appended_total", "counter", "items", "Entries stored, duplicates answered and rechecks asked for."),
    Metric("im_repo_append_refused_total", "counter", "items", "Entries refused under the conversation's lock."),
    Metric("im_repo_append_failed_total", "counter", "items", "Entries that the database could not take."),
    Metric("im_repo_append_batch_items", "histogram", "items", "Entries in one append transaction."),
    Metric(
        "im_repo_append_batch_seconds", "histogram", "seconds", "One append transaction, from the queue to its commit."
    ),
    Metric("im_repo_append_queue_items", "gauge", "items", "Entries that wait to be appended."),
    Metric("im_repo_outbox_pending_rows", "gauge", "items", "Committed batches whose fan-out is not confirmed."),
    Metric("im_repo_outbox_redelivered_total", "counter", "items", "Ranges handed to logic again."),
    # im_task
)
