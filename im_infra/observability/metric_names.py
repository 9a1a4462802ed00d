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
    Metric("im_cache_round_trips_total", "counter", "items", "Round trips to Redis."),
    Metric("im_cache_round_trip_seconds", "histogram", "seconds", "One round trip to Redis."),
    Metric("im_cache_round_trip_calls", "histogram", "items", "Calls that shared one round trip to Redis."),
    Metric(
        "im_cache_failures_total",
        "counter",
        "items",
        "Calls refused because Redis is away or too much waits; round trips that broke or stayed unanswered.",
        ("why",),
    ),
    Metric("im_cache_epoch_changes_total", "counter", "items", "Times the shared cache lost what it held."),
    Metric("im_discovery_nodes", "gauge", "items", "Nodes that the registry lists, as this process sees it."),
    Metric(
        "im_discovery_watch_restarts_total", "counter", "items", "Times the registry was lost sight of and read anew."
    ),
    Metric("im_discovery_lease_losses_total", "counter", "items", "Leases of this process's nodes that ended early."),
    Metric(
        "im_bus_publish_seconds",
        "histogram",
        "seconds",
        "From handing a record to Kafka to every replica's acknowledgement.",
    ),
    Metric("im_bus_waiting_records", "gauge", "items", "Records given to Kafka and not acknowledged yet."),
    Metric(
        "im_bus_lag_items",
        "gauge",
        "items",
        "Records in this process's partitions that did not take effect yet.",
        ("topic",),
    ),
    Metric(
        "im_bus_fetched_items", "gauge", "items", "Records fetched from Kafka that wait for their handler.", ("topic",)
    ),
    Metric("im_bus_partitions", "gauge", "items", "Partitions that this process consumes.", ("topic",)),
    Metric("im_tracing_exported_spans_total", "counter", "items", "Spans that the collector took."),
    Metric(
        "im_tracing_lost_spans_total", "counter", "items", "Spans given up, as the collector was away or refused them."
    ),
    Metric("im_sql_busy_connections", "gauge", "items", "Connections to the server in use, by pool.", ("pool",)),
    Metric("im_sql_open_units", "gauge", "items", "Transactions under way on the server, or waiting for a connection."),
    # im_infra.rpc: `side` is `asking` or `answering`; `hop` is `gateway_logic`, `logic_repo`, `task_repo` or `task_gateway`,
    # and `repo` for what repo answers, whoever asks
    Metric("im_rpc_streams", "gauge", "items", "Open streams.", ("hop", "side")),
    Metric(
        "im_rpc_frame_items", "histogram", "items", "Items gathered into a frame that was written.", ("hop", "side")
    ),
    Metric(
        "im_rpc_request_seconds",
        "histogram",
        "seconds",
        "From a request's writing to its answer; of one request at a time per stream.",
        ("hop",),
    ),
    Metric("im_rpc_waiting_requests", "gauge", "items", "Requests that wait for credit or their frame.", ("hop",)),
    Metric("im_rpc_open_requests", "gauge", "items", "Requests under way, not answered yet.", ("hop", "side")),
    Metric("im_rpc_credit_requests", "gauge", "items", "Requests that the peers would take at once.", ("hop",)),
    Metric(
        "im_rpc_failed_requests_total",
        "counter",
        "items",
        "Requests that ended without the peer's answer: out of time, stream lost, too many waiting.",
        ("hop", "why"),
    ),
    Metric("im_rpc_lost_streams_total", "counter", "items", "Streams that broke.", ("hop",)),
    Metric("im_rpc_unacknowledged_pushes", "gauge", "items", "Pushes that did not take effect yet.", ("hop",)),
    Metric("im_rpc_refused_pushes_total", "counter", "items", "Pushes refused at a full queue.", ("hop",)),
    # im_gateway
    Metric("im_gateway_connections", "gauge", "items", "Open WebSocket connections."),
    Metric(
        "im_gateway_ended_connections_total",
        "counter",
        "items",
        "Connections ended by the gateway, by close code.",
        ("code",),
    ),
    Metric(
        "im_gateway_lagged_connections_total", "counter", "items", "Times a connection read too slowly and lost pushes."
    ),
    Metric(
        "im_gateway_refused_handshakes_total",
        "counter",
        "items",
        "WebSocket handshakes refused, by HTTP status.",
        ("status",),
    ),
    Metric("im_gateway_received_frames_total", "counter", "items", "Frames received from clients."),
    Metric("im_gateway_malformed_frames_total", "counter", "items", "Frames that could not be read."),
    Metric("im_gateway_sent_frames_total", "counter", "items", "Frames written to clients."),
    Metric(
        "im_gateway_sent_messages_total",
        "counter",
        "items",
        "WebSocket messages written; frames that gathered share one.",
    ),
    Metric(
        "im_gateway_pushed_frames_total", "counter", "items", "Frames pushed towards connections, one per receiver."
    ),
    Metric("im_gateway_dropped_pushes_total", "counter", "items", "Pushes dropped because a connection lagged."),
    Metric("im_gateway_unknown_connections_total", "counter", "items", "Deliveries for a connection that is gone."),
    Metric("im_gateway_limited_sends_total", "counter", "items", "Sends refused over the user's limit."),
    Metric(
        "im_gateway_limited_operations_total", "counter", "items", "Other operations refused over the user's limit."
    ),
    Metric(
        "im_gateway_fanned_out_entries_total", "counter", "items", "Entries of large conversations sent on locally."
    ),
    Metric(
        "im_gateway_merged_entries_total",
        "counter",
        "items",
        "Of these, those that went in the write of another entry.",
    ),
    Metric("im_gateway_filled_gaps_total", "counter", "items", "Gaps in a large conversation filled by a pull."),
    Metric("im_gateway_ring_pulls_total", "counter", "items", "Pulls answered without asking logic."),
    Metric(
        "im_gateway_waiting_entries",
        "gauge",
        "items",
        "Entries of large conversations that wait behind a gap or a check.",
    ),
    Metric("im_gateway_checks_total", "counter", "items", "Clients told to compare because pushes may be lost."),
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
    Metric(
        "im_logic_waiting_deliveries",
        "gauge",
        "items",
        "Deliveries that wait: for routes (`post`), members (`members`), the bus (`bus`), their turn again (`again`).",
        ("queue",),
    ),
    Metric("im_logic_delivery_batch_items", "histogram", "items", "Deliveries that shared one look-up of routes."),
    Metric(
        "im_logic_delivery_batch_seconds", "histogram", "seconds", "One look-up of routes and the pushes that followed."
    ),
    Metric("im_logic_cached_conversations", "gauge", "items", "Conversations whose state is in memory."),
    # im_repo
    Metric("im_repo_appended_total", "counter", "items", "Entries stored, duplicates answered and rechecks asked for."),
    Metric("im_repo_append_refused_total", "counter", "items", "Entries refused under the conversation's lock."),
    Metric(
        "im_repo_append_stale_total",
        "counter",
        "items",
        "Batches that were decided on what the process knew, did not hold, and were decided anew.",
    ),
    Metric("im_repo_append_failed_total", "counter", "items", "Entries that the database could not take."),
    Metric("im_repo_append_batch_items", "histogram", "items", "Entries in one append transaction."),
    Metric(
        "im_repo_append_batch_seconds", "histogram", "seconds", "One append transaction, from the queue to its commit."
    ),
    Metric("im_repo_append_queue_items", "gauge", "items", "Entries that wait to be appended."),
    Metric("im_repo_outbox_pending_rows", "gauge", "items", "Committed batches whose fan-out is not confirmed."),
    Metric(
        "im_repo_outbox_oldest_seconds", "gauge", "seconds", "Age of the oldest batch whose fan-out is not confirmed."
    ),
    Metric("im_repo_outbox_redelivered_total", "counter", "items", "Ranges handed to logic again."),
    # im_task
    Metric("im_task_fan_out_records", "histogram", "items", "Records that were handled together."),
    Metric(
        "im_task_fan_out_seconds",
        "histogram",
        "seconds",
        "From taking records to the last interested gateway's answer; failed ones included.",
    ),
    Metric(
        "im_task_left_behind_total",
        "counter",
        "items",
        "Frames that a gateway did not take in time; its clients are told to compare.",
    ),
)
