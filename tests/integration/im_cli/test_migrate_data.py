"""`im migrate-data`: an embedded cluster moves to a MariaDB, is cut off on the way, and nobody notices."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from im_cli.exit_code import ExitCode
from im_infra.ids.snowflake import snowflake_time_ms
from im_sdk import Client, Conversation, Message, Tokens
from tests.integration.im_cli.conftest import Im, ServerPlace, run_im
from tests.support.cluster import Cluster, start_cluster
from tests.support.http_client import HttpClient

WAIT_S = 30
HELLO = "grüezi 漢字 🦜 𝄞 ' \\ %"
LARGE = "🦜" * 1_900
LAST = "the last one"


@dataclass(frozen=True)
class Seen:
    """What a client has of a cluster."""

    tokens: Tokens
    conversations: dict[int, Conversation]
    histories: dict[int, list[Message]]


async def look(cluster: Cluster, tokens: Tokens) -> Seen:
    """All that somebody sees who has these tokens and nothing else."""
    async with Client(cluster.url) as client:
        await client.use(tokens)
        await client.connect()
        conversations = {each.conversation_id: each for each in client.conversations()}
        histories = {
            conversation_id: [message async for message in client.history(conversation_id, changes=True)]
            for conversation_id in conversations
        }
        return Seen(client.tokens, conversations, histories)


async def live(cluster: Cluster) -> tuple[Tokens, Tokens]:
    """People talk: private, in a group, to the world; they edit, take back and read."""
    async with Client(cluster.url) as ann, Client(cluster.url) as bob, Client(cluster.url) as guest:
        for client, handle in ((ann, "ann"), (bob, "bob")):
            await client.register(handle, "correct horse", display_name=f"{handle} 🦜")
        await guest.guest("Somebody")
        for client in (ann, bob, guest):
            await client.connect()
        direct = await ann.open_direct("bob")
        group = await ann.create_group("Group 漢字", [bob.user.user_id])
        for conversation_id in (direct.conversation_id, group.conversation_id, ann.world_conversation_id):
            first = await ann.send(conversation_id, HELLO)
            second = await ann.send(conversation_id, "a slip", reply_to=first.seq)
            third = await ann.send(conversation_id, "to be taken back")
            await ann.edit(conversation_id, second.seq, f"edited {HELLO}")
            await ann.recall(conversation_id, third.seq)
            await bob.send(conversation_id, LARGE)
        await guest.send(guest.world_conversation_id, "I was here")
        await ann.send(direct.conversation_id, LAST)
        await bob.mark_read(group.conversation_id, 2)
        return ann.tokens, bob.tokens


def told(seen: Seen) -> Any:
    """What must not change."""
    heads = {
        each.conversation_id: (each.max_seq, each.read_seq, each.unread, each.title)
        for each in seen.conversations.values()
    }
    return heads, seen.histories


def migrating(data_dir: Path, target: ServerPlace) -> "subprocess.Popen[bytes]":
    """The command, under way."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "im_cli.main",
            "migrate-data",
            "--from",
            f"sqlite:{data_dir}",
            "--to",
            f"mysql:{target.config}",
        ],
        env={"PATH": "/usr/bin:/bin", **target.environment},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def kill_in_the_midst(data_dir: Path, target: ServerPlace, conversation_id: int) -> None:
    """SIGKILL while the entries of that conversation are on their way, with others there already."""
    target.server.administer(
        f"USE {target.database}",
        f"CREATE TRIGGER stall BEFORE INSERT ON message FOR EACH ROW BEGIN "
        f"IF NEW.conversation_id = {conversation_id} THEN DO SLEEP(60); END IF; END",
    )
    process = migrating(data_dir, target)
    try:
        deadline = time.monotonic() + WAIT_S
        stalled = "SELECT id FROM information_schema.processlist WHERE state = 'User sleep'"
        while not (threads := target.query(stalled)):
            assert process.poll() is None, process.communicate()[0].decode()
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    for (thread,) in threads:
        target.server.administer(f"KILL {thread}")  # nobody waits for it any more, but it would sleep on
    target.server.administer(f"DROP TRIGGER {target.database}.stall")


def bulk(cluster: Cluster, folder: Path) -> None:
    """More entries than a few batches take."""
    rate = ("--pairs", "8", "--closed", "--duration", "3", "--warm-up", "0")
    done = run_im("bench", "private", "--url", cluster.url, *rate, "--users-file", folder / "users.json")
    assert done.returncode in {0, 3, 4}, done.stdout + done.stderr


@pytest.mark.slow
async def test_a_cluster_that_moves_and_is_cut_off_on_the_way_loses_nothing(
    tmp_path: Path, target: ServerPlace, im: Im
) -> None:
    with start_cluster(tmp_path) as cluster:
        ann, bob = [await look(cluster, tokens) for tokens in await live(cluster)]
        await asyncio.to_thread(bulk, cluster, tmp_path)
        data_dir = cluster.data_dir
        command = ("migrate-data", "--from", f"sqlite:{data_dir}", "--to", f"mysql:{target.config}")
        running = im(*command, environment=target.environment)
        assert running.returncode == ExitCode.IN_THE_WAY, running.stderr
        entries = cluster.query("SELECT conversation_id, count(*) FROM message GROUP BY conversation_id")
    made = im("migrate", "--config", target.config, environment=target.environment)
    assert ("from empty" in made.stdout, made.stderr) == (True, "")

    largest = max(conversation_id for conversation_id, _ in entries)
    await asyncio.to_thread(kill_in_the_midst, data_dir, target, largest)
    ((arrived,),) = target.query("SELECT count(*) FROM message")
    assert 0 < arrived < sum(count for _, count in entries)
    assert target.query("SELECT row_count FROM data_transfer WHERE table_name = 'message'") == [(arrived,)]
    for early in (
        ("up", "--port", "0", "--internal-port", "0", "--data-dir", tmp_path / "new"),
        ("user", "list"),
        ("migrate",),
    ):
        refused = im(*early, "--config", target.config, environment=target.environment)
        assert (refused.returncode, "migrate-data" in refused.stderr) == (ExitCode.STORAGE, True), refused.stderr

    done = im(*command, environment=target.environment)
    assert (done.returncode, done.stderr) == (ExitCode.DONE, "")
    assert "by an earlier run" in done.stdout
    assert "same checksums" in done.stdout
    assert str(data_dir / "secrets.json") in done.stdout.replace("\n", "")
    again = im(*command, environment=target.environment)
    assert (again.returncode, "not empty" in again.stderr) == (ExitCode.REFUSED, True), again.stderr

    (tmp_path / "second").mkdir()
    moved = {**target.settings, "IM_SECRETS__FILE": str(data_dir / "secrets.json")}
    with start_cluster(tmp_path / "second", moved) as cluster:
        assert told(await look(cluster, ann.tokens)) == told(ann)
        assert told(await look(cluster, bob.tokens)) == told(bob)
        await goes_on(cluster, ann, bob)


async def goes_on(cluster: Cluster, ann: Seen, bob: Seen) -> None:
    """Refresh tokens work once, seqs go on without a hole, ids above those of before."""
    async with HttpClient(cluster.url) as http:
        body = {"refresh_token": ann.tokens.refresh_token}
        refreshed = await http.call("POST", "/refresh", json=body)
        assert refreshed.status == 200, refreshed.body
    before = next(history for history in ann.histories.values() if history[0].text == LAST)
    conversation_id = before[0].conversation_id
    async with Client(cluster.url) as client:
        await client.use(bob.tokens)
        await client.connect()
        sent = await client.send(conversation_id, "here we are")
        assert sent.seq == before[0].seq + 1
        (message,) = [each async for each in client.history(conversation_id, after=before[0].seq)]
        assert snowflake_time_ms(message.message_id) >= snowflake_time_ms(before[0].message_id)
        assert message.message_id > max(each.message_id for history in bob.histories.values() for each in history)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--from", "sqlite:nowhere", "--to", "mysql:"), ExitCode.REFUSED, "no cluster in nowhere"),
        (("--from", "mysql:x", "--to", "mysql:"), ExitCode.USAGE, "sqlite:"),
        (("--from", "sqlite:", "--to", "sqlite:x"), ExitCode.USAGE, "mysql:"),
        (
            (
                "--from",
                "sqlite:.",
            ),
            ExitCode.USAGE,
            "--to",
        ),
    ],
)
def test_wrong_places_are_told(im: Im, arguments: tuple[str, ...], code: ExitCode, words: str) -> None:
    done = im("migrate-data", *arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_a_server_that_is_not_there_is_told(im: Im, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with start_cluster(tmp_path) as cluster:
        data_dir = cluster.data_dir
    away = {"IM_SQL__KIND": "mysql", "IM_SQL__MYSQL__PORT": "1", "IM_SQL__MYSQL__PASSWORD": "x"}
    done = im("migrate-data", "--from", f"sqlite:{data_dir}", "--to", "mysql:", environment=away)
    assert (done.returncode, "Traceback" in done.stderr) == (ExitCode.STORAGE, False), done.stderr
    embedded = im("migrate-data", "--from", f"sqlite:{data_dir}", "--to", "mysql:")
    assert (embedded.returncode, "sql.kind" in embedded.stderr) == (ExitCode.USAGE, True)
