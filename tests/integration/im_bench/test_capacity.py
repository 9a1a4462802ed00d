"""Searching, comparing and planning as a person does."""

import json
from pathlib import Path

import jsonschema
import pytest

from im_bench.report.schema import result_schema
from im_cli.exit_code import ExitCode
from tests.integration.im_cli.conftest import run_im
from tests.support.cluster import Cluster, start_cluster


def test_a_search_tells_every_step_and_its_steps_can_be_compared(cluster: Cluster, tmp_path: Path) -> None:
    out = tmp_path / "search.json"
    arguments = ("--pairs", "3", "--duration", "1", "--warm-up", "0", "--url", cluster.url, "--json", out)
    done = run_im("bench", "search", "private", *arguments, "--p99", "20s", "--least", "20", "--most", "40")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "40/s is the highest that held" in done.stdout
    told = json.loads(out.read_text(encoding="utf-8"))
    assert [step["rate"] for step in told["steps"]] == [20, 40]
    assert (told["highest_per_s"], told["broke_per_s"]) == (40, None)
    for number, step in enumerate(told["steps"]):
        jsonschema.validate(step["result"], result_schema())
        (tmp_path / f"{number}.json").write_text(json.dumps(step["result"]), encoding="utf-8")
    compared = run_im("bench", "compare", tmp_path / "0.json", tmp_path / "1.json")
    assert compared.returncode == 0, compared.stderr
    assert "other settings: rate 20.0 before, 40.0 after" in compared.stdout
    assert "delivery p99, ms" in compared.stdout


def test_a_server_that_holds_no_rate_is_a_missed_target(cluster: Cluster) -> None:
    arguments = ("--pairs", "2", "--duration", "0.5", "--warm-up", "0", "--url", cluster.url, "--least", "10")
    done = run_im("bench", "search", "private", *arguments, "--p99", "0.001ms", "--most", "10")
    assert (done.returncode, "no rate held" in done.stdout) == (4, True), (done.stdout, done.stderr)


def test_a_sweep_runs_every_value_round_after_round(cluster: Cluster, tmp_path: Path) -> None:
    out, page = tmp_path / "sweep.json", tmp_path / "sweep.html"
    arguments = ("--groups", "1", "--rate", "20", "--duration", "1", "--warm-up", "0", "--url", cluster.url)
    files = ("--json", out, "--html", page)
    done = run_im("bench", "sweep", "groups", "--over", "members=4,2", "--rounds", "2", *arguments, *files)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "run 4/4: members 4" in done.stdout
    told = json.loads(out.read_text(encoding="utf-8"))
    assert (told["over"], told["values"], told["end"]) == ("members", [2, 4], "all values were run")
    runs = told["runs"]
    assert [(run["settings"]["members"], run["settings"]["seed"]) for run in runs] == [(2, 1), (4, 1), (2, 2), (4, 2)]
    for run in runs:
        jsonschema.validate(run, result_schema())
        assert run["delivered_per_s"] == pytest.approx((run["settings"]["members"] - 1) * run["acked_per_s"], rel=0.2)
    assert "groups over members" in page.read_text(encoding="utf-8")
    compared = run_im("bench", "compare", out, out)
    assert (compared.returncode, "groups, members 4, remote" in compared.stdout) == (0, True), compared.stderr


def test_what_a_sweep_had_measured_is_kept_when_a_run_fails(tmp_path: Path) -> None:
    """The second value needs more accounts than the server gives a stranger."""
    limits = {"IM_GATEWAY__LIMITS__EXEMPT_NETWORKS": "10.0.0.0/8", "IM_GATEWAY__LIMITS__LOGINS_PER_IP_PER_S": "20"}
    out, page = tmp_path / "sweep.json", tmp_path / "sweep.html"
    with start_cluster(tmp_path, limits) as limited:
        arguments = ("--groups", "2", "--rate", "10", "--duration", "1", "--warm-up", "0", "--url", limited.url)
        files = ("--json", out, "--html", page)
        done = run_im("bench", "sweep", "groups", "--over", "members=2,500", "--rounds", "1", *arguments, *files)
    assert (done.returncode, "RATE_LIMITED" in done.stderr) == (ExitCode.UNREACHABLE, True), done.stderr
    assert "a run failed, and no other was begun" in done.stdout
    told = json.loads(out.read_text(encoding="utf-8"))
    assert [run["settings"]["members"] for run in told["runs"]] == [2]
    assert "groups over members" in page.read_text(encoding="utf-8")


def test_a_plan_is_printed_for_people_and_programs() -> None:
    done = run_im("bench", "plan", "--users", "10000", "--messages-per-day", "20")
    assert done.returncode == 0, done.stderr
    assert "2,000 connections" in done.stdout
    told = json.loads(run_im("bench", "plan", "--users", "10000", "--messages-per-day", "20", "--json").stdout)
    assert told["connections"] == 2_000
    assert {need["name"] for need in told["needs"]} >= {"gateway", "logic", "repo", "task", "mariadb"}


def test_wrong_usage_is_said(tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("{}", encoding="utf-8")
    for arguments, said in (
        (("search", "private", "--p99", "soon"), "200ms"),
        (("search", "private", "--closed"), "no rate"),
        (("search", "private", "--least", "9", "--most", "3"), "--least"),
        (("sweep", "groups"), "--over"),
        (("sweep", "private", "--over", "pairs=2,5", "--pairs", "500"), "--pairs means nothing"),
        (("sweep", "groups", "--over", "colour=1,2"), "groups, members"),
        (("sweep", "groups", "--over", "members=2,5", "--json", str(tmp_path / "no" / "x.json")), "no folder"),
        (("search", "private", "--json", "/dev/null"), "no file that can be replaced"),
        (("sweep", "mixed", "--over", "users=10,15"), "multiple"),
        (("compare", str(tmp_path / "no.json"), str(tmp_path / "no.json")), "no result"),
        (("plan", "--users", "10", "--costs", str(tmp_path / "none.toml")), "No such file"),
    ):
        done = run_im("bench", *arguments)
        assert (done.returncode, said in done.stderr) == (ExitCode.USAGE, True), (arguments, done.stderr)
