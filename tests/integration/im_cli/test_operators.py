"""The operator's commands on a running cluster: users, keys, dead letters, backup and restore, doctor."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from im_cli.exit_code import ExitCode
from tests.integration.im_cli.conftest import Im
from tests.support.cluster import Cluster, start_cluster
from tests.support.http_client import HttpClient
from tests.support.ids import uuid7
from tests.support.socket_client import SocketClient, open_session


async def send(session: SocketClient, conversation_id: int, text: str) -> None:
    """Send a text and wait for its ack."""
    answer = await session.ask_for(
        "send",
        conversation_id=str(conversation_id),
        client_message_id=uuid7(),
        content={"text": {"text": text}},
        attempt=1,
    )
    assert answer.send.seq, answer


@pytest.fixture
async def http(cluster: Cluster) -> AsyncIterator[HttpClient]:
    async with HttpClient(cluster.url) as client:
        yield client


async def test_an_operator_makes_an_account_that_logs_in_to_the_running_cluster(
    cluster: Cluster, http: HttpClient, im: Im
) -> None:
    folder = ("--data-dir", cluster.data_dir)
    made = im("user", "create", "@Root_One", "--kind", "admin", "--password", "first password", *folder)
    assert made.returncode == ExitCode.DONE, made.stderr
    account = await http.login("root_one", password="first password")
    async with open_session(cluster.socket_url, account.access_token) as session:
        changed = im("user", "password", "root_one", "--password", "second password", *folder)
        assert changed.returncode == ExitCode.DONE, changed.stderr
        assert await session.closed(seconds=5) == 4503
    assert (await http.login("root_one", password="second password")).user_id == account.user_id
    assert im("user", "disable", "root_one", *folder).returncode == ExitCode.DONE
    refused = await http.call(
        "POST",
        "/login",
        json={"handle": "root_one", "password": "second password", "installation": {"device_id": "device-12345"}},
    )
    assert refused.error == "ACCOUNT_DISABLED"
    assert im("user", "enable", "root_one", *folder).returncode == ExitCode.DONE
    await http.login("root_one", password="second password")
    listed = im("user", "list", "--prefix", "root_", *folder)
    assert "root_one" in listed.stdout
    assert "admin" in listed.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("user", "disable", "nobody_here"), ExitCode.REFUSED, "no account"),
        (("user", "create", "x", "--password", "long enough"), ExitCode.REFUSED, "handle"),
        (("user", "create", "fine_name", "--password", "short"), ExitCode.REFUSED, "8"),
        (("user", "create", "fine_name", "--kind", "king", "--password", "long enough"), ExitCode.USAGE, "admin"),
        (("dlq", "show", "12345"), ExitCode.REFUSED, "no dead letter"),
        (("dlq", "redrive", "12345"), ExitCode.REFUSED, "no dead letter"),
        (("user", "nonsense"), ExitCode.USAGE, "nonsense"),
    ],
)
def test_wrong_input_ends_with_its_code_and_words(
    cluster: Cluster, im: Im, arguments: tuple[str, ...], code: ExitCode, words: str
) -> None:
    done = im(*arguments, "--data-dir", cluster.data_dir)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_commands_on_a_folder_without_a_cluster_say_so(tmp_path: Path, im: Im) -> None:
    for command in (("user", "list"), ("dlq", "list"), ("keys", "list"), ("backup",), ("migrate",)):
        done = im(*command, "--data-dir", tmp_path)
        assert done.returncode == ExitCode.REFUSED, command
        assert "no cluster" in done.stderr


def test_there_are_no_dead_letters_on_a_healthy_cluster(cluster: Cluster, im: Im) -> None:
    done = im("dlq", "list", "--data-dir", cluster.data_dir)
    assert done.returncode == ExitCode.DONE
    assert "no dead letters" in done.stdout


def test_an_invite_is_a_code_and_nothing_else(cluster: Cluster, im: Im) -> None:
    done = im("user", "invite", "--data-dir", cluster.data_dir)
    assert done.returncode == ExitCode.DONE
    assert len(done.stdout.strip()) >= 16


def test_the_doctor_finds_a_running_cluster_healthy(cluster: Cluster, im: Im) -> None:
    done = im("doctor", "--data-dir", cluster.data_dir, environment={"IM_GATEWAY__PUBLIC__PORT": str(cluster.port)})
    assert "journal_mode=wal synchronous=2" in done.stdout
    assert "the database file is whole" in done.stdout
    assert "Traceback" not in done.stderr
    assert "bad" not in done.stdout, done.stdout
    assert done.returncode == ExitCode.DONE


def test_the_doctor_says_what_to_mend(tmp_path: Path, cluster: Cluster, im: Im) -> None:
    taken = {"IM_GATEWAY__PUBLIC__PORT": str(cluster.port)}
    done = im("doctor", "--data-dir", tmp_path / "other", environment=taken)
    assert done.returncode == ExitCode.UNHEALTHY
    assert "cannot be opened" in done.stdout
    wrong = im("doctor", "--data-dir", tmp_path / "other", environment={"IM_NONSENSE": "1"})
    assert wrong.returncode == ExitCode.UNHEALTHY
    assert "nonsense" in wrong.stdout


async def test_a_backup_of_a_running_cluster_restores_with_a_new_epoch_and_dead_sessions(
    tmp_path: Path, im: Im
) -> None:
    (tmp_path / "first").mkdir()
    with start_cluster(tmp_path / "first") as cluster:
        async with HttpClient(cluster.url) as http:
            ann, bob = await http.register(), await http.register()
            async with open_session(cluster.socket_url, ann.access_token) as session:
                opened = await session.ask_for("open_direct", user_id=str(bob.user_id))
                conversation_id = opened.open_direct.head.conversation.conversation_id
                epoch = opened.open_direct.head.conversation.epoch
                for text in ("one", "two"):
                    await send(session, conversation_id, text)
                backup = tmp_path / "backup.tar"
                done = im("backup", backup, "--data-dir", cluster.data_dir)
                assert done.returncode == ExitCode.DONE, done.stderr
                assert backup.stat().st_mode & 0o777 == 0o600
                await send(session, conversation_id, "after the backup")
    restored = tmp_path / "second" / "data"
    done = im("restore", backup, "--data-dir", restored)
    assert done.returncode == ExitCode.DONE, done.stderr
    assert im("restore", backup, "--data-dir", restored).returncode == ExitCode.REFUSED
    with start_cluster(tmp_path / "second") as cluster:
        async with HttpClient(cluster.url) as http:
            stale = await http.call("GET", "/conversations", token=ann.access_token)
            assert stale.error in {"SESSION_REVOKED", "TOKEN_EXPIRED"}
            again = await http.login(ann.handle)
            async with open_session(cluster.socket_url, again.access_token) as session:
                pulled = await session.ask_for("pull", conversation_id=str(conversation_id))
    assert [message.content.text.text for message in pulled.pull.messages] == ["one", "two"]
    assert pulled.pull.epoch > epoch
    assert pulled.pull.rewind_seq == 2


async def test_keys_rotate_under_a_running_cluster(tmp_path: Path, im: Im) -> None:
    """Tokens of the old key stay good; where it is dropped at once, a refresh gives one of the new key."""
    with start_cluster(tmp_path) as cluster:
        folder = ("--data-dir", cluster.data_dir)
        async with HttpClient(cluster.url) as http:
            account = await http.guest()
            assert im("keys", "list", *folder).stdout.count("yes") == 1
            assert "signs in 2 minutes; 2 keys verify" in im("keys", "rotate", *folder).stdout
            await logged(cluster, "keys=2")
            assert (await http.call("GET", "/devices", token=account.access_token)).status == 200
            assert "signs at once; 1 keys verify" in im("keys", "rotate", "--keep-hours", "0", *folder).stdout
            await logged(cluster, "keys=1")
            assert (await http.call("GET", "/devices", token=account.access_token)).error == "UNAUTHENTICATED"
            answer = await http.call("POST", "/refresh", json={"refresh_token": account.refresh_token})
            token = answer.body["grant"]["access_token"]
            assert (await http.call("GET", "/devices", token=token)).status == 200


async def logged(cluster: Cluster, words: str) -> None:
    """Wait for a line of the log."""
    async with asyncio.timeout(15):
        while words not in cluster.log_text():
            await asyncio.sleep(0.05)  # a file tells nobody that it grew


def test_migrate_finds_nothing_to_do_on_this_versions_schema(tmp_path: Path, im: Im) -> None:
    with start_cluster(tmp_path) as cluster:
        data_dir = cluster.data_dir
        held = im("migrate", "--data-dir", data_dir)
        assert held.returncode == ExitCode.IN_THE_WAY
    done = im("migrate", "--data-dir", data_dir)
    assert done.returncode == ExitCode.DONE
    assert "nothing to do" in done.stdout
    with sqlite3.connect(data_dir / "im.sqlite3") as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    connection.close()


def test_version_and_help(im: Im) -> None:
    assert im("version").stdout.startswith("im ")
    assert "grpcio" in im("version", "--verbose").stdout
    shown = im("--help")
    assert shown.returncode == ExitCode.DONE
    for command in ("up", "serve", "chat", "bench", "user", "keys", "dlq", "backup", "restore", "doctor", "migrate"):
        assert command in shown.stdout
