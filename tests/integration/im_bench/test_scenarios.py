"""The load tester against a real cluster: it says GOOD of a good one, and does not hide what it cannot do."""

import json
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from im_bench.accounts import AccountApi
from im_bench.report.schema import result_schema
from im_bench.report.verdict import Verdict
from im_bench.scenarios.registry import find_scenario
from im_cli.exit_code import ExitCode
from tests.integration.im_cli.conftest import run_im
from tests.support.cluster import Cluster, start_cluster

FAULTLESS = {
    "lost": 0, "unstored": 0, "duplicate": 0, "out_of_order": 0, "gap": 0, "late": 0, "resync": 0, "unknown": 0,
}  # fmt: skip


def bench(out: Path, *arguments: str | Path) -> dict[str, Any]:
    """Run a scenario that must end GOOD; its result."""
    done = run_im("bench", *arguments, "--json", out)
    assert done.returncode == Verdict.GOOD, (done.stdout, done.stderr)
    assert "GOOD" in done.stdout
    result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    jsonschema.validate(result, result_schema())
    scenario = find_scenario(result["scenario"])
    assert set(result["latency_ms"]) <= set(scenario.latencies), "it may be named in --expect"
    assert all(any(fnmatchcase(name, known) for known in scenario.figures) for name in result["measured"])
    return result


@pytest.mark.parametrize("workers", [1, 2])
def test_pairs_talk_and_every_message_is_accounted_for(cluster: Cluster, tmp_path: Path, workers: int) -> None:
    arguments = ("--url", cluster.url, "--pairs", "4", "--rate", "60", "--duration", "2", "--warm-up", "0.5")
    result = bench(tmp_path / "out.json", "private", *arguments, "--workers", str(workers))
    assert {name: count for name, count in result["correctness"].items() if name != "repeat"} == FAULTLESS
    assert result["offered_per_s"] > 0
    assert result["acked_per_s"] > 0
    assert result["delivered_per_s"] > 0
    assert 0 < result["latency_ms"]["delivery"]["p50"] <= result["latency_ms"]["delivery"]["p99"]
    measured = [row for row in result["series"] if row["measured"]]
    assert sum(row["acked_per_s"] for row in measured) == pytest.approx(2 * result["acked_per_s"], abs=10)
    assert result["generator"]["processes"] == workers
    assert result["resources"] is None, "a server given by its address is not looked into"
    assert [step["name"] for step in result["steps"]] == ["connect", "drive", "settle", "collect", "verify"]


def test_a_target_that_is_missed_is_an_exit_code_of_its_own(cluster: Cluster, tmp_path: Path) -> None:
    arguments = ("--url", cluster.url, "--pairs", "2", "--rate", "20", "--duration", "1", "--warm-up", "0")
    result = bench(tmp_path / "out.json", "private", *arguments, "--expect", "p99=10s,lost=0,acked=5/s")
    assert result["reasons"] == []
    missed = run_im("bench", "private", *arguments, "--expect", "max=0.001ms,lost=0", "--html", tmp_path / "out.html")
    assert missed.returncode == Verdict.TARGET_MISSED, (missed.stdout, missed.stderr)
    assert "max=0.001ms expected" in missed.stdout
    assert "TARGET MISSED" in (tmp_path / "out.html").read_text(encoding="utf-8")


async def test_accounts_are_made_without_a_proxy(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured is the server, not what stands between, and connections go straight to it as well."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert len(await AccountApi(cluster.url).make("guest", 1, progress=lambda _done: None)) == 1


def test_accounts_of_a_preparation_that_failed_are_kept(tmp_path: Path) -> None:
    """They stay on the server: the next run goes on from there, and nobody's tokens are used up in vain."""
    users = tmp_path / "users.json"

    def kept() -> dict[int, Any]:
        return {one["user_id"]: one for one in json.loads(users.read_text(encoding="utf-8"))["accounts"]}

    limits = {
        "IM_GATEWAY__LIMITS__EXEMPT_NETWORKS": "10.0.0.0/8",  # this machine is a stranger
        "IM_GATEWAY__LIMITS__LOGINS_PER_IP_PER_S": "20",
    }
    with start_cluster(tmp_path, limits) as limited:
        wanted = ("prepare", "--url", limited.url, "--users-file", users, "--kind", "guest", "--users")
        refused = run_im("bench", *wanted, "1000")
        assert (refused.returncode, "RATE_LIMITED" in refused.stderr) == (ExitCode.UNREACHABLE, True), refused.stderr
        first = kept()
        assert f"{len(first):,} accounts are kept in" in refused.stderr
        again = run_im("bench", *wanted, str(len(first)))
        assert (again.returncode, kept()) == (0, first), again.stderr


def test_accounts_are_kept_in_a_file_of_ones_own_and_used_again(cluster: Cluster, tmp_path: Path) -> None:
    users = tmp_path / "users.json"
    prepared = run_im("bench", "prepare", "--url", cluster.url, "--users", "4", "--users-file", users)
    assert prepared.returncode == 0, prepared.stderr
    assert "4 registered accounts" in prepared.stdout
    assert users.stat().st_mode & 0o777 == 0o600
    before = users.read_text(encoding="utf-8")
    arguments = ("--url", cluster.url, "--pairs", "2", "--rate", "40", "--duration", "1", "--users-file", users)
    for _ in range(2):  # the second time their chats have a history already
        result = bench(tmp_path / "out.json", "private", *arguments, "--warm-up", "0")
        assert {name: count for name, count in result["correctness"].items() if name != "repeat"} == FAULTLESS
    assert users.read_text(encoding="utf-8") == before
    other = run_im("bench", "private", "--url", "http://127.0.0.1:9", "--users-file", users)
    assert (other.returncode, "not of http://127.0.0.1:9" in other.stderr) == (ExitCode.USAGE, True)
    more = bench(tmp_path / "out.json", "private", *arguments[:2], "--pairs", "3", *arguments[4:], "--warm-up", "0")
    assert more["acked_per_s"] > 0
    assert len(json.loads(users.read_text(encoding="utf-8"))["accounts"]) == 6


def test_a_closed_loop_is_labelled_so(cluster: Cluster, tmp_path: Path) -> None:
    arguments = ("--url", cluster.url, "--pairs", "2", "--closed", "--duration", "1", "--warm-up", "0")
    result = bench(tmp_path / "out.json", "private", *arguments)
    assert result["settings"]["closed"] is True
    assert any("closed loop" in note for note in result["notes"])
    assert result["acked_per_s"] > 10


def test_connections_are_opened_at_a_rate(cluster: Cluster, tmp_path: Path) -> None:
    arguments = ("--url", cluster.url, "--rate", "20", "--duration", "2", "--warm-up", "0.5", "--connections", "10")
    result = bench(tmp_path / "out.json", "connect", *arguments)
    assert result["offered_per_s"] > 0
    assert result["latency_ms"]["connect"]["p50"] > 0
    assert max(row["connections"] for row in result["series"]) >= 10
    assert result["delivered_per_s"] is None


def test_idle_connections_are_held_and_counted(cluster: Cluster, tmp_path: Path) -> None:
    arguments = ("--url", cluster.url, "--low", "8", "--high", "24", "--hold", "1", "--workers", "2")
    result = bench(tmp_path / "out.json", "idle", *arguments)
    assert result["measured"] == {"connections": 24.0}
    assert any("not known" in note for note in result["notes"]), "another machine's memory is not guessed"
    assert result["latency_ms"]["ping"]["p50"] > 0
    assert result["series"][-1]["connections"] == 24


@pytest.mark.parametrize("workers", [1, 2])
def test_groups_talk_and_every_member_is_delivered_to(cluster: Cluster, tmp_path: Path, workers: int) -> None:
    arguments = ("--url", cluster.url, "--groups", "2", "--members", "4", "--rate", "30", "--duration", "2")
    result = bench(tmp_path / "out.json", "groups", *arguments, "--warm-up", "0", "--workers", str(workers))
    assert {name: count for name, count in result["correctness"].items() if name != "repeat"} == FAULTLESS
    assert result["delivered_per_s"] == pytest.approx(3 * result["acked_per_s"], rel=0.2)


def test_a_group_too_large_to_be_fanned_out_by_members_is_delivered_to_all(cluster: Cluster, tmp_path: Path) -> None:
    """More members than may be named at its making: the rest is added, and the group changes its kind of fan-out."""
    arguments = ("--url", cluster.url, "--members", "520", "--senders", "4", "--rate", "4", "--duration", "2")
    result = bench(tmp_path / "out.json", "large-group", *arguments, "--warm-up", "0", "--rest", "0", "--workers", "2")
    assert {name: count for name, count in result["correctness"].items() if name != "repeat"} == FAULTLESS
    assert result["delivered_per_s"] > 100 * result["acked_per_s"]


@pytest.mark.parametrize("workers", [1, 2])
def test_members_who_are_away_are_delivered_nothing(cluster: Cluster, tmp_path: Path, workers: int) -> None:
    arguments = ("--url", cluster.url, "--members", "12", "--online", "5", "--senders", "3", "--rate", "20")
    result = bench(
        tmp_path / "out.json", "large-group", *arguments, "--duration", "2", "--warm-up", "0", "--workers", str(workers)
    )
    assert {name: count for name, count in result["correctness"].items() if name != "repeat"} == FAULTLESS
    assert max(row["connections"] for row in result["series"]) == 5
    assert result["delivered_per_s"] == pytest.approx(4 * result["acked_per_s"], rel=0.2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("world", "--members", "4", "--senders", "1", "--workers", "2"), "for 1 at most"),
        (("large-group", "--members", "9", "--online", "10", "--senders", "2"), "--online"),
        (("large-group", "--members", "9", "--online", "3", "--senders", "4"), "--senders"),
        (("private", "--pairs", "2", "--workers", "3"), "for 2 at most"),
    ],
)
def test_people_who_do_not_suffice_are_said_before_anything_starts(arguments: tuple[str, ...], said: str) -> None:
    """A process without anybody who writes would leave out its share of the rate."""
    done = run_im("bench", *arguments)
    assert (done.returncode, said in done.stderr) == (ExitCode.USAGE, True), done.stderr


def test_everybody_in_the_world_room_is_delivered_to(cluster: Cluster, tmp_path: Path) -> None:
    arguments = ("--url", cluster.url, "--members", "8", "--senders", "3", "--rate", "20", "--duration", "2")
    result = bench(tmp_path / "out.json", "world", *arguments, "--warm-up", "0")
    assert {name: count for name, count in result["correctness"].items() if name != "repeat"} == FAULTLESS
    assert result["delivered_per_s"] > 5 * result["acked_per_s"]


def test_people_do_what_the_mix_says(cluster: Cluster, tmp_path: Path) -> None:
    mix = tmp_path / "mix.toml"
    mix.write_text("[messages]\nprivate = 2\ngroup = 1\nworld = 1\n[beside]\ntyping = 1\nhistory = 0.5\n", "utf-8")
    arguments = ("--url", cluster.url, "--users", "8", "--group-size", "4", "--rate", "40", "--duration", "2")
    result = bench(tmp_path / "out.json", "mixed", *arguments, "--warm-up", "0", "--mix", mix, "--workers", "2")
    assert {name: count for name, count in result["correctness"].items() if name != "repeat"} == FAULTLESS
    assert {f"{kind} messages" for kind in ("private", "group", "world")} <= set(result["counts"])
    assert set(result["latency_ms"]) == {"connect", "ack", "delivery", "typing", "page"}
    assert result["settings"]["weights"]["beside"]["history"] == 0.5


LARGE = ("--size", "4000")
"""Of so many bytes a page has room for a dozen only, and ends early."""


@pytest.mark.parametrize("written", [("--messages", "4"), ("--messages", "20", *LARGE)])
def test_people_catch_up_with_what_they_missed(cluster: Cluster, tmp_path: Path, written: tuple[str, ...]) -> None:
    arguments = ("--url", cluster.url, "--users", "3", "--conversations", "6", "--changed", "0.5", *written)
    result = bench(tmp_path / "out.json", "offline", *arguments, "--rate", "5", "--duration", "2", "--warm-up", "0")
    assert result["measured"] == {"conversations": 6.0, "moved": 3.0}
    assert 0 < result["latency_ms"]["sync"]["p50"] <= result["latency_ms"]["caught_up"]["max"]
    assert result["counts"] == {}, "nobody lacked a message"


def test_slow_readers_lose_nothing_and_harm_nobody(cluster: Cluster, tmp_path: Path) -> None:
    arguments = (
        "--url",
        cluster.url,
        "--members",
        "6",
        "--senders",
        "3",
        "--slow",
        "2",
        "--size",
        "4000",
        "--rate",
        "40",
    )
    result = bench(tmp_path / "out.json", "slow-reader", *arguments, "--duration", "2", "--warm-up", "0")
    assert {name: result["correctness"][name] for name in ("lost", "unstored", "duplicate")} == dict.fromkeys(
        ("lost", "unstored", "duplicate"), 0
    )
    assert result["latency_ms"]["slow_delivery"]["max"] > result["latency_ms"]["delivery"]["p50"]
    assert result["measured"]["slow_closed"] == 0


@pytest.mark.parametrize("size", [(), LARGE])
def test_members_scroll_through_a_history(cluster: Cluster, tmp_path: Path, size: tuple[str, ...]) -> None:
    arguments = ("--url", cluster.url, "--readers", "4", "--messages", "120", *size, "--rate", "20", "--duration", "2")
    result = bench(tmp_path / "out.json", "history", *arguments, "--warm-up", "0")
    assert result["latency_ms"]["page"]["p50"] > 0
    assert result["counts"] == {}, "every page was whole"


def test_all_come_back_after_a_cut(cluster: Cluster, tmp_path: Path) -> None:
    arguments = ("--url", cluster.url, "--connections", "12", "--workers", "2")
    result = bench(tmp_path / "out.json", "reconnect", *arguments)
    assert result["measured"]["back"] == 12
    assert 0 < result["measured"]["back_95_s"] <= result["measured"]["back_all_s"]
    assert result["latency_ms"]["back"]["p50"] > 0


def test_people_log_in_at_a_rate(cluster: Cluster, tmp_path: Path) -> None:
    arguments = ("--url", cluster.url, "--users", "3", "--rate", "10", "--duration", "2", "--warm-up", "0")
    result = bench(tmp_path / "out.json", "login", *arguments)
    assert result["latency_ms"]["login"]["p50"] > 0
    assert result["counts"] == {}


def test_the_floor_is_an_echo_server(tmp_path: Path) -> None:
    arguments = ("--adapter", "echo", "--pairs", "3", "--rate", "100", "--duration", "1", "--warm-up", "0")
    result = bench(tmp_path / "out.json", "private", *arguments)
    assert result["delivered_per_s"] > 0
    assert {name: count for name, count in result["correctness"].items() if name != "repeat"} == FAULTLESS
    assert result["resources"]["echo"]["rss_mib"] > 1


def test_a_gateway_that_is_not_there_is_no_result() -> None:
    done = run_im("bench", "private", "--url", "http://127.0.0.1:9", "--pairs", "1", "--duration", "1")
    assert done.returncode == ExitCode.UNREACHABLE
    assert "accounts cannot be had" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("idle", "--low", "10", "--high", "5"), "above"),
        (("idle", "--adapter", "echo"), "our protocol"),
        (("world", "--members", "3", "--senders", "4"), "--senders"),
        (("private", "--cluster", "--url", "http://127.0.0.1:9"), "--cluster"),
        (("private", "--together", "--url", "http://127.0.0.1:9"), "--together"),
        (("private", "--arrivals", "sometimes"), "sometimes"),
        (("private", "--adapter", "nothing"), "no adapter"),
        (("private", "--pairs", "1", "--workers", "2"), "--workers"),
        (("private", "--adapter", "im_bench.adapters.echo:EchoAdapter"), "--url"),
        (("private", "--expect", "p99=fast"), "no expectation"),
        (("private", "--expect", ""), "'' is no expectation"),
        (("private", "--expect", "p99=200ms,,lost=0"), "'' is no expectation"),
        (("private", "--expect", "lost=0.5"), "whole number"),
        (("private", "--expect", "lsot=0"), "no lsot is measured here"),
        (("connect", "--expect", "delivery.p99=1s"), "also of connect"),
        (("mixed", "--mix", "/no/such/mix.toml"), "No such file"),
        (("mixed", "--users", "15"), "multiple"),
        (("slow-reader", "--members", "5", "--senders", "3", "--slow", "2"), "less than --members"),
        (("private", "--json", "/no/such/folder/out.json"), "no folder /no/such/folder"),
        (("private", "--html", "/tmp"), "/tmp is a folder"),
        (("private", "--json", "/proc/out.json"), "/proc/out.json cannot be written"),
        (("private", "--rate", "inf"), "inf is more than 1,000,000"),
        (("private", "--url", "127.0.0.1:8080"), "write http://host:port"),
        (("private", "--users-file", "/proc/version"), "/proc/version is no file of `im bench prepare`"),
        (("private", "--source-address", "192.0.2.1"), "nothing can connect from it"),
        (("prepare", "--users", "1", "--url", "ftp://x"), "write http://host:port"),
        (("regression", "--folder", "/proc/x"), "--folder /proc/x is no folder"),
    ],
)
def test_wrong_usage_is_said_before_anything_starts(arguments: tuple[str, ...], said: str) -> None:
    done: subprocess.CompletedProcess[str] = run_im("bench", *arguments)
    assert (done.returncode, said in done.stderr) == (Verdict.USAGE, True), done.stderr
