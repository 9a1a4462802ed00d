"""The load tester against a real cluster: it says GOOD of a good one, and does not hide what it cannot do."""

import json
from pathlib import Path

from im_bench.result import Verdict
from im_cli.exit_code import ExitCode
from tests.integration.im_cli.conftest import run_im
from tests.support.cluster import Cluster

KEYS = {
    "schema_version", "scenario", "settings", "environment", "offered_per_s", "acked_per_s", "delivered_per_s",
    "latency_ms", "correctness", "resources", "generator", "series", "verdict",
}  # fmt: skip


def test_pairs_talk_and_every_message_is_accounted_for(cluster: Cluster, tmp_path: Path) -> None:
    users, out = tmp_path / "users.json", tmp_path / "out.json"
    arguments = ("--url", cluster.url, "--pairs", "3", "--rate", "60", "--duration", "2", "--warm-up", "0.5")
    for _ in range(2):
        done = run_im("bench", "private", *arguments, "--users-file", users, "--json", out)
        assert done.returncode == Verdict.GOOD, done.stderr
    assert "GOOD" in done.stdout
    assert users.stat().st_mode & 0o777 == 0o600
    result = json.loads(out.read_text(encoding="utf-8"))
    assert set(result) >= KEYS
    assert result["correctness"] == {
        **dict.fromkeys(result["correctness"], 0),
        "repeat": result["correctness"]["repeat"],
    }
    assert 40 < result["acked_per_s"] <= 70
    assert result["delivered_per_s"] > 40
    assert result["latency_ms"]["delivery"]["p50"] > 0
    assert len(result["series"]) >= 1


def test_a_closed_loop_is_labelled_so_and_offers_no_rate(cluster: Cluster, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = ("--url", cluster.url, "--pairs", "2", "--rate", "0", "--duration", "1", "--warm-up", "0")
    assert run_im("bench", "private", *arguments, "--json", out).returncode == Verdict.GOOD
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["settings"]["loop"] == "closed"
    assert result["offered_per_s"] is None
    assert result["acked_per_s"] > 10


def test_idle_connections_are_held_and_counted(cluster: Cluster, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = ("--url", cluster.url, "--low", "8", "--high", "24", "--hold", "1")
    done = run_im("bench", "idle", *arguments, "--json", out)
    assert done.returncode == Verdict.GOOD, done.stderr
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["measured"] == {"connections": 24.0}
    assert "not known" in done.stdout, "another machine's memory is not guessed"


def test_a_gateway_that_is_not_there_is_no_result() -> None:
    done = run_im("bench", "private", "--url", "http://127.0.0.1:9", "--pairs", "1", "--duration", "1")
    assert done.returncode == ExitCode.IN_THE_WAY
    assert "did not take place" in done.stderr
    assert "Traceback" not in done.stderr


def test_too_few_accounts_in_the_file_and_wrong_numbers_are_usage(cluster: Cluster, tmp_path: Path) -> None:
    users = tmp_path / "users.json"
    users.write_text("[]", encoding="utf-8")
    few = run_im("bench", "private", "--url", cluster.url, "--pairs", "1", "--users-file", users)
    assert (few.returncode, "2 are needed" in few.stderr) == (Verdict.USAGE, True)
    wrong = run_im("bench", "idle", "--low", "10", "--high", "5")
    assert (wrong.returncode, "above" in wrong.stderr) == (Verdict.USAGE, True)
    assert run_im("bench", "private", "--arrivals", "sometimes").returncode == Verdict.USAGE
