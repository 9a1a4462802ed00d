"""Write docs/reference/metrics.md from the list of metrics; with `--check` compare it."""

from itertools import groupby

from generated_page import finish, row, table

from im_infra.observability.metric_names import METRICS, Metric

HEAD = """# Metrics

<!-- generated from im_infra/observability/metric_names.py by `make docs`; edit that -->

The internal port answers `/metrics` in Prometheus' text format, beside `/healthz` (200 while the process lives) and
`/readyz` (200, or 503 with each failed check). It listens on 127.0.0.1:8090 unless set; keep it off the internet.

Labels have few values, known beforehand: never an id of a user, a conversation or a connection. A unit of `items` counts
whatever the name says. Beside these stand the usual `process_…` metrics.
"""


def service(metric: Metric) -> str:
    """Who tells it."""
    name = metric.name.split("_")[1]
    return f"im_{name}" if name in {"gateway", "logic", "repo", "task"} else "im_infra"


def main() -> None:
    """Write the page."""
    lines = HEAD.splitlines()
    for name, metrics in groupby(METRICS, key=service):
        lines += ["", f"## {name}", "", *table("name", "kind", "unit", "labels", "what it tells")]
        lines += [
            row(
                f"`{metric.name}`",
                metric.kind,
                metric.unit,
                ", ".join(f"`{label}`" for label in metric.labels),
                metric.help,
            )
            for metric in metrics
        ]
    finish("metrics.md", lines)


if __name__ == "__main__":
    main()
