"""The dashboard and the alert rules use metrics that exist, as what they are, with labels that they have."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from im_infra.observability.metric_names import METRICS, Metric
from tests.docs_support.blocks import ROOT

DASHBOARD = ROOT / "deploy/grafana/im-cluster.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
KNOWN = {metric.name: metric for metric in METRICS}
SCRAPED = {"instance", "job", "le"}
"""Labels that Prometheus puts on."""


def dashboard_expressions() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def rules() -> list[dict[str, str]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


EXPRESSIONS = [*dashboard_expressions(), *(rule["expr"] for rule in rules())]


def metric_of(name: str) -> tuple[Metric, str]:
    """A metric by the name of one of its series, and what the series is of it."""
    if name in KNOWN:
        return KNOWN[name], ""
    stem, _, part = name.rpartition("_")
    return KNOWN[stem], part


def check(expression: str) -> None:
    """Names, kinds and labels of one expression; raises where one is wrong."""
    found = re.findall(r"\bim_[a-z0-9_]+\b", expression)
    labels = set(SCRAPED)
    for name in found:
        metric, part = metric_of(name)
        assert (part in {"bucket", "sum", "count"}) == (metric.kind == "histogram"), name
        rated = re.search(rf"(?:rate|increase)\({name}\[", expression) is not None
        assert rated == (metric.kind != "gauge"), f"{name} is a {metric.kind}"
        labels.update(metric.labels)
    for said in re.findall(r"by \(([a-z_, ]+)\)", expression) + re.findall(r"\{([a-z_]+)=", expression):
        assert set(said.replace(" ", "").split(",")) <= labels, said


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_what_there_is(expression: str) -> None:
    check(expression)


@pytest.mark.parametrize(
    "wrong",
    [
        "im_gateway_no_such_total",
        "rate(im_gateway_connections[5m])",
        "im_gateway_sent_frames_total",
        "sum by (hop) (im_gateway_connections)",
        "rate(im_rpc_request_seconds[5m])",
    ],
)
def test_the_check_finds_mistakes(wrong: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        check(wrong)


def test_legends_and_words_name_labels_of_their_expression() -> None:
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            for label in re.findall(r"\{\{([a-z_]+)\}\}", target["legendFormat"]):
                kept = label in SCRAPED and " by (" not in target["expr"]
                assert kept or re.search(rf"by \([^)]*\b{label}\b", target["expr"]), target


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    for rule in rules():
        assert re.fullmatch(r"Im[A-Za-z]+", rule["alert"])
        assert {"summary", "description"} == set(rule["annotations"])


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False, timeout=30
    )
    assert not done.returncode, done.stdout + done.stderr
