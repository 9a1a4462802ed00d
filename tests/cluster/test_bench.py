"""The load tester starts a distributed cluster of its own, and looks into its processes."""

import json
from pathlib import Path

import jsonschema
import pytest

from im_bench.report.schema import result_schema
from im_bench.report.verdict import Verdict
from im_cli.cluster.engine_set import REQUIREMENTS
from tests.integration.im_cli.conftest import run_im
from tests.support.engines import require

ENGINES = {"mariadb", "redis", "kafka", "etcd"}
RUN_S = 110


@pytest.mark.parametrize(
    ("mode", "services"),
    [("cluster", {"gateway-a", "logic-a", "repo-a", "task-a"}), ("together", {"together-a"})],
)
def test_a_cluster_is_started_driven_and_told_by_process(mode: str, services: set[str], tmp_path: Path) -> None:
    require(REQUIREMENTS)
    out = tmp_path / "out.json"
    arguments = ("--pairs", "2", "--rate", "10", "--duration", "1", "--warm-up", "0", "--json", out)
    done = run_im("bench", "private", f"--{mode}", *arguments, timeout_s=RUN_S)
    assert done.returncode == Verdict.GOOD, (done.stdout, done.stderr)
    result = json.loads(out.read_text(encoding="utf-8"))
    jsonschema.validate(result, result_schema())
    assert result["settings"]["mode"] == mode
    assert set(result["resources"]) == ENGINES | services
