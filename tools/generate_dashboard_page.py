"""Write deploy/grafana/im-cluster.json, the dashboard; with `--check` compare it.

One row per hop, in the order in which a message meets them.
"""

import json
from typing import Any, Final, NamedTuple

from generated_page import finish

WIDTH: Final = 24
HEIGHT: Final = 7
PER_ROW: Final = 4
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


class Panel(NamedTuple):
    """A graph: its expressions by what stands in the legend."""

    title: str
    unit: str
    lines: dict[str, str]
    help: str = ""


def rate(metric: str, by: str = "") -> str:
    """A counter's rate a second."""
    return f"sum{f' by ({by})' if by else ''} (rate({metric}[$__rate_interval]))"


def quantile(metric: str, share: float, by: str = "") -> str:
    """A quantile of a histogram."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket[$__rate_interval])))"


def mean(metric: str, by: str = "") -> str:
    """A histogram's mean."""
    return f"{rate(f'{metric}_sum', by)} / {rate(f'{metric}_count', by)}"


def quantiles(metric: str, by: str = "") -> dict[str, str]:
    """Median and p99."""
    legend = f" {{{{{by}}}}}" if by else ""
    return {f"p50{legend}": quantile(metric, 0.5, by), f"p99{legend}": quantile(metric, 0.99, by)}


ROWS: Final[dict[str, tuple[Panel, ...]]] = {
    "Clients and gateways": (
        Panel("Connections", "short", {"{{instance}}": "im_gateway_connections"}),
        Panel(
            "Frames",
            "ops",
            {
                "received": rate("im_gateway_received_frames_total"),
                "sent": rate("im_gateway_sent_frames_total"),
                "WebSocket messages sent": rate("im_gateway_sent_messages_total"),
            },
        ),
        Panel(
            "Refused and dropped",
            "ops",
            {
                "handshakes {{status}}": rate("im_gateway_refused_handshakes_total", "status"),
                "sends over the limit": rate("im_gateway_limited_sends_total"),
                "operations over the limit": rate("im_gateway_limited_operations_total"),
                "pushes dropped": rate("im_gateway_dropped_pushes_total"),
                "connections that lag": rate("im_gateway_lagged_connections_total"),
            },
        ),
        Panel("Ended by the gateway", "ops", {"{{code}}": rate("im_gateway_ended_connections_total", "code")}),
    ),
    "Streams between services": (
        Panel("Latency p99", "s", {"{{hop}}": quantile("im_rpc_request_seconds", 0.99, "hop")}),
        Panel("Items per frame", "short", {"{{hop}} {{side}}": mean("im_rpc_frame_items", "hop, side")}),
        Panel(
            "Waiting and under way",
            "short",
            {
                "{{hop}} waiting": "sum by (hop) (im_rpc_waiting_requests)",
                "{{hop}} open": 'sum by (hop) (im_rpc_open_requests{side="asking"})',
                "{{hop}} pushes": "sum by (hop) (im_rpc_unacknowledged_pushes)",
            },
        ),
        Panel(
            "Failures",
            "ops",
            {
                "{{hop}} {{why}}": rate("im_rpc_failed_requests_total", "hop, why"),
                "{{hop}} streams lost": rate("im_rpc_lost_streams_total", "hop"),
                "{{hop}} pushes refused": rate("im_rpc_refused_pushes_total", "hop"),
            },
        ),
    ),
    "Logic: appends and delivery": (
        Panel(
            "Entries",
            "ops",
            {
                "stored": rate("im_logic_appends_total"),
                "decided again": rate("im_logic_appends_sent_back_total"),
                "pushed, per gateway": rate("im_logic_pushes_total"),
                "to the bus": rate("im_logic_fanout_published_total"),
            },
        ),
        Panel("Queues", "short", {"{{queue}}": "sum by (queue) (im_logic_waiting_deliveries)"}),
        Panel("Delivery batch", "s", quantiles("im_logic_delivery_batch_seconds")),
        Panel(
            "Dropped and repeated",
            "ops",
            {
                "dropped": rate("im_logic_deliveries_dropped_total"),
                "delivered again": rate("im_logic_redelivered_total"),
            },
        ),
    ),
    "Repo: the log": (
        Panel("Append transaction", "s", quantiles("im_repo_append_batch_seconds")),
        Panel("Entries per transaction", "short", {"mean": mean("im_repo_append_batch_items")}),
        Panel(
            "Waiting",
            "short",
            {
                "append queue {{instance}}": "im_repo_append_queue_items",
                "outbox rows {{instance}}": "im_repo_outbox_pending_rows",
                "busy connections {{pool}}": "sum by (pool) (im_sql_busy_connections)",
            },
        ),
        Panel("Oldest unconfirmed batch", "s", {"{{instance}}": "im_repo_outbox_oldest_seconds"}),
    ),
    "Bus and task": (
        Panel(
            "Records",
            "ops",
            {
                "published {{topic}}": rate("im_bus_published_total", "topic"),
                "took effect {{topic}}": rate("im_bus_consumed_total", "topic"),
                "tried again {{topic}}": rate("im_bus_retries_total", "topic"),
                "given up {{topic}}": rate("im_bus_dead_letters_total", "topic"),
            },
        ),
        Panel(
            "Lag",
            "short",
            {
                "{{topic}}": "sum by (topic) (im_bus_lag_items)",
                "not acknowledged by Kafka": "sum (im_bus_waiting_records)",
            },
        ),
        Panel("Publish", "s", quantiles("im_bus_publish_seconds")),
        Panel("Fan-out of large conversations", "s", quantiles("im_task_fan_out_seconds")),
    ),
    "Cache and registry": (
        Panel("Redis round trip", "s", quantiles("im_cache_round_trip_seconds")),
        Panel("Calls per round trip", "short", {"mean": mean("im_cache_round_trip_calls")}),
        Panel(
            "Failures",
            "ops",
            {
                "{{why}}": rate("im_cache_failures_total", "why"),
                "cache lost what it held": rate("im_cache_epoch_changes_total"),
                "registry read anew": rate("im_discovery_watch_restarts_total"),
                "leases lost": rate("im_discovery_lease_losses_total"),
            },
        ),
        Panel("Nodes as each process sees them", "short", {"{{instance}}": "im_discovery_nodes"}),
    ),
}


def graph(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    """One panel in Grafana's words."""
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.help,
        "datasource": DATASOURCE,
        "gridPos": {"h": HEIGHT, "w": WIDTH // PER_ROW, "x": x, "y": y},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": {"fillOpacity": 8}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + place), "expr": expression, "legendFormat": legend, "datasource": DATASOURCE}
            for place, (legend, expression) in enumerate(panel.lines.items())
        ],
    }


def panels() -> list[dict[str, Any]]:
    """All rows, one below the other."""
    made: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        place = {"h": 1, "w": WIDTH, "x": 0, "y": y}
        made.append({"id": len(made) + 1, "type": "row", "title": title, "collapsed": False, "gridPos": place})
        for column, panel in enumerate(row):
            made.append(graph(panel, len(made) + 1, column * WIDTH // PER_ROW, y + 1))
        y += 1 + HEIGHT
    return made


def main() -> None:
    """Write the dashboard."""
    dashboard = {
        "uid": "im-cluster",
        "title": "im-cluster",
        "description": "Every hop of a message. Made by tools/generate_dashboard_page.py.",
        "tags": ["im-cluster"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}]
        },
        "panels": panels(),
    }
    finish("im-cluster.json", json.dumps(dashboard, indent=1).splitlines(), folder="deploy/grafana")


if __name__ == "__main__":
    main()
