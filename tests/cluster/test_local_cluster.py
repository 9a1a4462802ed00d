"""`im cluster`: a whole distributed cluster on this machine, started, used and stopped as a person would."""

import asyncio
import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from im_cli.cluster import state_file
from im_cli.cluster.engine_set import REQUIREMENTS
from im_cli.exit_code import ExitCode
from im_sdk import Client, Kicked, MessageReceived
from tests.integration.im_cli.conftest import run_im
from tests.support.engines import require
from tests.support.http_client import HttpClient
from tests.support.otlp_collector import Collector, ToldSpan, otlp_collector
from tests.support.socket_client import open_session
from tests.support.traced import send_traced, told_trace

UP_S = 180


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with otlp_collector() as running:
        yield running


@pytest.fixture(scope="module")
def folder(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running cluster's folder; it traces what its clients ask for."""
    require(REQUIREMENTS)
    folder = tmp_path_factory.mktemp("local-cluster") / "cluster"
    tracing = {
        "IM_TRACING__ENDPOINT": collector.endpoint,
        "IM_TRACING__SAMPLE_RATIO": "0",
        "IM_TRACING__FOLLOW_CLIENTS": "true",
    }
    relative = os.path.relpath(folder)  # as is `cluster`, the default
    up = run_im("cluster", "up", "--folder", relative, "--first-port", "0", environment=tracing, timeout_s=UP_S)
    assert up.returncode == ExitCode.DONE, up.stdout + up.stderr
    yield folder
    down = run_im("cluster", "down", "--folder", folder)
    assert down.returncode == ExitCode.DONE, down.stdout + down.stderr


def state_of(folder: Path) -> state_file.State:
    state = state_file.read(folder)
    assert state is not None
    return state


async def test_people_on_different_gateways_talk(folder: Path) -> None:
    """What is sent through one gateway is shown through the other."""
    one, other = state_of(folder).urls
    async with Client(one) as ann, Client(other) as bob:
        await ann.register("ann", "a password of ann")
        await bob.register("bob", "a password of bob")
        await ann.connect()
        await bob.connect()
        events = bob.events()
        chat = await ann.open_direct("bob")
        sent = await ann.send(chat.conversation_id, "Are you there?")
        async for event in events:
            if isinstance(event, MessageReceived):
                assert (event.message.seq, event.message.text) == (sent.seq, "Are you there?")
                break


def all_hang_on(trace_id: str, name: str, parent: str, spans: list[ToldSpan]) -> bool:
    """Every span of that name was begun by one of the other name."""
    told = [span for span in spans if span.trace_id == trace_id]
    parents = {span.span_id for span in told if span.name == parent}
    return parents >= {span.parent_id for span in told if span.name == name}


async def test_a_message_is_one_trace_across_the_processes(folder: Path, collector: Collector) -> None:
    """From the frame at one gateway to the push at the other, over the streams; in the world room over Kafka."""
    one, other = state_of(folder).urls
    async with HttpClient(one) as api, HttpClient(other) as other_api:
        cay, dan = await api.register(), await other_api.register()
    async with (
        open_session(f"ws{one.removeprefix('http')}/ws", cay.access_token) as sender,
        open_session(f"ws{other.removeprefix('http')}/ws", dan.access_token) as reader,
    ):
        opened = await sender.ask_for("open_direct", user_id=str(dan.user_id))
        small = await send_traced(sender, opened.open_direct.head.conversation.conversation_id, "Traced")
        world = reader.session.hello.world_conversation_id
        await reader.ask_for("view", conversation_ids=[str(world)])
        large = await send_traced(sender, world, "Traced, everybody")
        await reader.until(lambda frame: frame.message_push.message.content.text.text == "Traced, everybody")
        # Each process tells its spans when it likes.
        hops = (
            "gateway.request",
            "logic.request",
            "repo.request",
            "repo.append_batch",
            "logic.deliver",
            "gateway.push",
        )
        await told_trace(collector, small, hops)
        reached = {"gateway-a", "gateway-b"}
        await asyncio.to_thread(
            collector.wait_for,
            lambda spans: (
                reached
                <= {span.instance for span in spans if span.trace_id == large and span.name == "gateway.fan_out"}
            ),
        )
    spans: dict[str, ToldSpan] = {}
    for span in collector.trace(small):
        spans.setdefault(span.name, span)  # the first: whatever is delivered again comes later
    assert (spans["gateway.request"].instance, spans["gateway.push"].instance) == ("gateway-a", "gateway-b")
    assert spans["gateway.push"].parent_id == spans["logic.deliver"].span_id
    assert spans["logic.request"].parent_id == spans["gateway.request"].span_id
    await told_trace(collector, large, ("gateway.request", "logic.publish", "task.fan_out"))
    # A record may come twice, a machine that is slow to confirm has it swept; each copy hangs on its own publishing.
    for name, parent in (("task.fan_out", "logic.publish"), ("gateway.fan_out", "task.fan_out")):
        await asyncio.to_thread(collector.wait_for, partial(all_hang_on, large, name, parent))


def test_status_finds_every_process_and_engine(folder: Path) -> None:
    shown = run_im("status", "--config", folder / "cluster.toml", "--json")
    assert shown.returncode == ExitCode.DONE, shown.stdout + shown.stderr
    told = json.loads(shown.stdout)
    nodes = sorted(node for process in told["processes"] for node in process["nodes"])
    assert nodes == sorted(f"{service}-{letter}" for service in ("gateway", "logic", "repo", "task") for letter in "ab")
    assert {"database", "cache", "bus"} <= set(told["engines"])


def test_the_doctor_looks_at_every_engine(folder: Path) -> None:
    shown = run_im("doctor", "--config", folder / "cluster.toml")
    for words in ("secrets", "innodb_flush_log_at_trx_commit = 1", "sync_binlog = 1", "redis", "etcd"):
        assert words in shown.stdout, shown.stdout + shown.stderr


async def test_operators_reach_the_running_cluster_from_its_settings(folder: Path) -> None:
    """Accounts, keys, dead letters and the schema, without a data folder."""
    config = ("--config", folder / "cluster.toml")
    made = run_im("user", "create", "@Root_One", "--kind", "admin", "--password", "first password", *config)
    assert made.returncode == ExitCode.DONE, made.stderr
    for url in state_of(folder).urls:
        async with Client(url) as client:
            await client.login("root_one", "first password")
            assert client.user.kind.name == "ADMIN"
    assert "admin" in run_im("user", "list", "--prefix", "root_", *config).stdout
    assert len(run_im("user", "invite", *config).stdout.strip()) >= 16
    assert "no dead letters" in run_im("dlq", "list", *config).stdout
    assert run_im("keys", "list", *config).stdout.count("yes") == 1
    migrated = run_im("migrate", *config)
    assert "nothing to do" in migrated.stdout, migrated.stderr


async def test_an_account_that_is_shut_out_is_cut_off_from_every_gateway(folder: Path) -> None:
    config = ("--config", folder / "cluster.toml")
    assert run_im("user", "create", "shut_out", "--password", "first password", *config).returncode == ExitCode.DONE
    one, other = state_of(folder).urls
    async with Client(one) as first, Client(other) as second:
        for client in (first, second):
            await client.login("shut_out", "first password")
            await client.connect()
        done = run_im("user", "disable", "shut_out", *config)
        assert done.returncode == ExitCode.DONE, done.stderr
        for client in (first, second):
            async with asyncio.timeout(10):
                async for event in client.events():
                    if isinstance(event, Kicked):
                        break
    assert run_im("user", "enable", "shut_out", *config).returncode == ExitCode.DONE
    async with Client(other) as client:
        await client.login("shut_out", "first password")


def test_what_is_only_for_a_stopped_or_an_embedded_cluster_is_refused(folder: Path, tmp_path: Path) -> None:
    config = ("--config", folder / "cluster.toml")
    (tmp_path / "backup.tar").touch()
    for command, code, words in (
        (("repo", "rewind", "--yes"), ExitCode.IN_THE_WAY, "repo-b"),
        (("backup",), ExitCode.USAGE, "back-up-a-cluster"),
        (("restore", tmp_path / "backup.tar"), ExitCode.USAGE, "back-up-a-cluster"),
        (("up",), ExitCode.USAGE, "im serve"),
        (("serve", "logic"), ExitCode.USAGE, "--listen"),
    ):
        refused = run_im(*command, "--data-dir", tmp_path / "none", *config)
        assert (refused.returncode, words in refused.stderr) == (code, True), (command, refused.stderr)
        assert "Traceback" not in refused.stderr


def test_a_second_one_in_the_same_folder_is_refused(folder: Path) -> None:
    again = run_im("cluster", "up", "--folder", folder)
    assert again.returncode == ExitCode.IN_THE_WAY
    assert "im cluster down" in again.stderr


def test_a_process_that_ended_is_told(folder: Path, tmp_path: Path) -> None:
    """Of a copy of the state, in which one process is gone."""
    state = state_of(folder)
    gone = state_file.Running("task-z", 2**22 - 1, 0.0)
    state_file.write(
        tmp_path, state_file.State(state.urls, state.config, [gone, *state.processes], state.internal_urls)
    )
    shown = run_im("cluster", "status", "--folder", tmp_path)
    assert shown.returncode == ExitCode.UNHEALTHY
    assert "task-z" in shown.stdout
    assert "gone" in shown.stdout


def test_where_there_is_none_that_is_said(tmp_path: Path) -> None:
    for command in ("down", "status"):
        refused = run_im("cluster", command, "--folder", tmp_path)
        assert refused.returncode == ExitCode.REFUSED
        assert "no cluster was started" in refused.stderr


@pytest.mark.timeout(UP_S + 60)
def test_down_stops_exactly_what_was_started_and_up_finds_what_was_stored(folder: Path) -> None:
    """Last in this file: it stops the cluster and starts it again."""
    before = [each.pid for each in state_of(folder).processes]
    assert len(before) == 12
    assert run_im("cluster", "down", "--folder", folder).returncode == ExitCode.DONE
    assert not any(psutil.pid_exists(pid) for pid in before)
    up = run_im("cluster", "up", "--folder", folder, "--first-port", "0", timeout_s=UP_S)
    assert up.returncode == ExitCode.DONE, up.stdout + up.stderr

    async def come_back() -> int:
        async with Client(state_of(folder).urls[0]) as ann:
            await ann.login("ann", "a password of ann")
            await ann.connect()
            (chat,) = [each for each in ann.conversations() if each.kind.name == "DIRECT"]
            return chat.local_seq

    assert asyncio.run(come_back()) == 1
