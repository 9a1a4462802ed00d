"""Generated pages are what the code says, and the code says what a running cluster does."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from typing import Any

import pytest

from im_infra.observability.metric_names import METRICS
from tests.docs_support.blocks import ROOT
from tests.support.cluster import Cluster

PAGES = ("messages", "http", "settings", "cli", "metrics", "dashboard")


def page(name: str) -> str:
    return (ROOT / "docs/reference" / name).read_text(encoding="utf-8")


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    command = [sys.executable, f"tools/generate_{name}_page.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def test_the_page_of_routes_has_every_route_of_the_live_openapi(cluster: Cluster) -> None:
    document: dict[str, Any] = json.loads(get(f"{cluster.url}/api/v1/openapi.json"))
    text = page("http-api.md")
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            query = "&".join(f"{each['name']}=" for each in route.get("parameters", ()) if each["in"] == "query")
            shown = f"`{method.upper()} {path.removeprefix('/api/v1')}{'?' + query if query else ''}`"
            assert shown in text


def test_the_page_of_commands_has_every_command_of_the_help() -> None:
    text = page("cli.md")
    command = [sys.executable, "-m", "im_cli.main", "--help"]
    environment = {**os.environ, "COLUMNS": "200", "TERM": "dumb"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    named = re.findall(r"^│ ([a-z]+) ", done.stdout.partition("Commands")[2], re.MULTILINE)
    assert "up" in named
    assert [command for command in named if f"## im {command}\n" not in text] == []


def test_a_running_cluster_tells_the_metrics_of_the_page(cluster: Cluster) -> None:
    told = {
        line.split()[2] for line in get(f"{cluster.internal_url}/metrics").splitlines() if line.startswith("# TYPE")
    }
    ours = {name for name in told if name.startswith("im_")}
    assert ours <= {metric.name for metric in METRICS}
    assert all(f"`{name}`" in page("metrics.md") for name in ours)


def test_the_protocol_page_names_every_operation_and_push() -> None:
    from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame  # noqa: PLC0415 - only here

    text = page("protocol.md")
    operations = ClientFrame.DESCRIPTOR.oneofs_by_name["operation"].fields
    for field in operations:
        assert f"| {field.number} | `{field.name}` |" in text
        for part in field.message_type.fields:
            row = next(line for line in text.splitlines() if line.startswith(f"| {field.number} | `{field.name}` |"))
            assert f"`{part.name}`" in row or field.name == "hello"
    asked = {field.name for field in operations}
    for field in ServerFrame.DESCRIPTOR.oneofs_by_name["event"].fields:
        assert field.name in asked or f"| {field.number} | `{field.name}` |" in text
