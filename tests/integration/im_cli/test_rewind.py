"""A cluster on a server is backed up under load and restored: clients that saw more are told, old tokens are dead."""

import asyncio
import itertools
import subprocess
from pathlib import Path

import pytest

from im_cli.engines.engine import LOOPBACK, Requirement
from im_cli.exit_code import ExitCode
from im_infra.ids.snowflake import snowflake_time_ms
from im_sdk import Client, ConversationRewound, LocalStore, Message, MessageReceived
from tests.integration.im_cli.conftest import Im, ServerPlace, server_place
from tests.support.cluster import start_cluster
from tests.support.engines import require
from tests.support.http_client import HttpClient
from tests.support.mariadb import MariadbServer
from tests.support.tcp_proxy import TcpProxy

WAIT_S = 30
PASSWORD = "correct horse"
BEFORE, AFTER = 20, 20
"""Messages before the backup begins, and after it has ended."""


def client_options(place: ServerPlace) -> tuple[list[str], dict[str, str]]:
    """How MariaDB's own programs reach the server."""
    settings = place.server.settings(place.database)
    environment = {"PATH": "/usr/bin:/bin", "MYSQL_PWD": settings.password.get_secret_value()}
    return ["--no-defaults", f"--host={LOOPBACK}", f"--port={settings.port}", f"--user={settings.user}"], environment


def dump(place: ServerPlace, file: Path) -> None:
    """As docs/how-to/back-up-a-cluster.md does it."""
    options, environment = client_options(place)
    flags = ("--single-transaction", "--no-tablespaces", "--hex-blob", "--default-character-set=utf8mb4")
    with file.open("wb") as out:
        subprocess.run(
            ["mariadb-dump", *options, *flags, place.database], env=environment, stdout=out, check=True, timeout=WAIT_S
        )


def load(place: ServerPlace, file: Path) -> None:
    """Restore it into an empty database."""
    options, environment = client_options(place)
    with file.open("rb") as dumped:
        command = ["mariadb", *options, "--default-character-set=utf8mb4", place.database]
        subprocess.run(command, env=environment, stdin=dumped, check=True, timeout=WAIT_S)


async def received(client: Client, text: str) -> Message:
    """Wait until a client was given a message."""
    async with asyncio.timeout(WAIT_S):
        async for event in client.events():
            if isinstance(event, MessageReceived) and event.message.text == text:
                return event.message
    raise AssertionError("the events ended")


async def talk_and_back_up(ann: Client, conversation_id: int, place: ServerPlace, file: Path) -> str:
    """Ann goes on sending while the dump is taken; gives her last text."""
    stop = asyncio.Event()
    sent: list[str] = []

    async def talk() -> None:
        for number in itertools.count(1):
            await ann.send(conversation_id, text := f"message {number} 🦜")
            sent.append(text)
            if stop.is_set():
                return

    async def until(count: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while len(sent) < count:
                await asyncio.sleep(0.005)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(talk())
        await until(BEFORE)
        await asyncio.to_thread(dump, place, file)
        await until(len(sent) + AFTER)
        stop.set()
    return sent[-1]


@pytest.mark.slow
async def test_a_restored_cluster_tells_its_clients_what_is_gone(
    tmp_path: Path, target: ServerPlace, mariadb_server: MariadbServer, im: Im
) -> None:
    require([Requirement("mariadb-dump", "mariadb-client")])
    file, store = tmp_path / "im.sql", tmp_path / "bob.sqlite3"
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    proxy = TcpProxy()
    async with proxy.open() as port:
        url = f"http://127.0.0.1:{port}"
        with start_cluster(tmp_path / "first", target.settings) as cluster:
            proxy.targets[:] = [cluster.port]
            secrets = cluster.data_dir / "secrets.json"
            async with Client(url) as ann, Client(url, store=LocalStore(store)) as bob:
                await ann.register("ann", PASSWORD)
                await bob.register("bob", PASSWORD)
                await ann.connect()
                await bob.connect()
                conversation_id = (await ann.open_direct("bob")).conversation_id
                last = await talk_and_back_up(ann, conversation_id, target, file)
                seen = await received(bob, last)
                old = ann.tokens
            async with Client(url) as late:
                await late.register("late", PASSWORD)
                forgotten = late.tokens
            await proxy.cut()
        restored = server_place(mariadb_server, mariadb_server.make_database(), tmp_path)
        load(restored, file)
        rewound = im("repo", "rewind", "--config", restored.config, "--yes", environment=restored.environment)
        assert rewound.returncode == ExitCode.DONE, rewound.stderr
        assert "2 conversations have a new epoch, 2 sessions are ended" in rewound.stdout
        with start_cluster(tmp_path / "second", {**restored.settings, "IM_SECRETS__FILE": str(secrets)}) as cluster:
            proxy.targets[:] = [cluster.port]
            async with HttpClient(url) as http:
                for tokens in (old, forgotten):
                    refused = await http.call("GET", "/conversations", token=tokens.access_token)
                    assert refused.error == "SESSION_REVOKED"
                    refreshed = await http.call("POST", "/refresh", json={"refresh_token": tokens.refresh_token})
                    assert refreshed.status == 401, refreshed.body
            async with Client(url, store=LocalStore(store)) as bob:
                await bob.login("bob", PASSWORD)
                await bob.connect()
                await goes_on_from_the_backup(bob, conversation_id, seen)
    mariadb_server.drop_database(restored.database)


async def goes_on_from_the_backup(bob: Client, conversation_id: int, seen: Message) -> None:
    """Bob's client is told what it had seen and is gone; what follows has the next seq, and an id above all before."""
    bob.view(conversation_id)
    async with asyncio.timeout(WAIT_S):
        async for event in bob.events():
            if isinstance(event, ConversationRewound) and event.conversation_id == conversation_id:
                rewind_seq = event.rewind_seq
                break
    assert BEFORE <= rewind_seq < seen.seq - AFTER + 2
    saved = [f"message {number} 🦜" for number in range(1, rewind_seq + 1)]
    assert [message.text async for message in bob.history(conversation_id, after=0)] == saved
    sent = await bob.send(conversation_id, "again")
    assert sent.seq == rewind_seq + 1, "the place of another message, which no client shows any more"
    shown = {message.seq: message.text async for message in bob.history(conversation_id, after=0)}
    assert shown == dict(enumerate([*saved, "again"], start=1))
    (again,) = await bob.get_messages(conversation_id, [sent.seq])
    assert snowflake_time_ms(again.message_id) > snowflake_time_ms(seen.message_id) + 3_000_000


async def test_a_running_cluster_and_an_operator_who_says_no_are_left_alone(tmp_path: Path, im: Im) -> None:
    with start_cluster(tmp_path) as cluster:
        folder = ("--data-dir", cluster.data_dir)
        held = im("repo", "rewind", "--yes", *folder)
        assert (held.returncode, "pid" in held.stderr) == (ExitCode.IN_THE_WAY, True)
    said_no = im("repo", "rewind", *folder, text="n\n")
    assert (said_no.returncode, "nothing was changed" in said_no.stderr) == (ExitCode.REFUSED, True)
    done = im("repo", "rewind", *folder, text="y\n")
    assert (done.returncode, "1 conversations" in done.stdout) == (ExitCode.DONE, True), done.stderr


def test_engines_that_do_not_answer_are_told_and_nothing_is_rewound(target: ServerPlace, im: Im) -> None:
    """Who runs, and what waits to be fanned out, cannot be known."""
    assert im("migrate", "--config", target.config, environment=target.environment).returncode == ExitCode.DONE
    for away in (
        {"IM_DISCOVERY__KIND": "etcd", "IM_DISCOVERY__ETCD__ENDPOINTS": "127.0.0.1:1"},
        {"IM_BUS__KIND": "kafka", "IM_BUS__KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"},
    ):
        refused = im("repo", "rewind", "--yes", "--config", target.config, environment={**target.environment, **away})
        assert (refused.returncode, "Traceback" in refused.stderr) == (ExitCode.UNREACHABLE, False), refused.stderr
    assert target.query("SELECT count(*) FROM clock") == [(0,)]


def test_nobody_is_asked_before_there_is_something_to_rewind(tmp_path: Path, target: ServerPlace, im: Im) -> None:
    """A folder without a cluster, an empty database, a server that is away, engines that are: told without a question."""
    server = ("--config", target.config)
    away = {"IM_SQL__MYSQL__PORT": "1"}
    etcd_away = {"IM_DISCOVERY__KIND": "etcd", "IM_DISCOVERY__ETCD__ENDPOINTS": "127.0.0.1:1"}
    cases = [
        (im("repo", "rewind", "--data-dir", tmp_path / "nothing"), ExitCode.REFUSED, "there is no cluster in"),
        (im("repo", "rewind", *server, environment=target.environment), ExitCode.REFUSED, "it is empty"),
        (im("repo", "rewind", *server, environment={**target.environment, **away}), ExitCode.STORAGE, ""),
        (im("repo", "rewind", *server, environment={**target.environment, **etcd_away}), ExitCode.UNREACHABLE, ""),
    ]
    for told, code, words in cases:
        assert told.returncode == code, told.stderr
        assert words in told.stderr
        assert "Go on?" not in told.stdout + told.stderr
        assert "Traceback" not in told.stderr
    assert target.query("SHOW TABLES") == []


def test_restore_is_for_the_embedded_cluster(tmp_path: Path, target: ServerPlace, im: Im) -> None:
    file = tmp_path / "backup.tar"
    file.touch()
    refused = im(
        "restore", file, "--data-dir", tmp_path / "x", "--config", target.config, environment=target.environment
    )
    assert (refused.returncode, "back-up-a-cluster" in refused.stderr) == (ExitCode.USAGE, True)
