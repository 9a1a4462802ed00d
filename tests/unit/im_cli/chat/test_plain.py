"""The plain mode's format and flags, and as a process with pipes."""

import os
import re
import subprocess
import sys
from datetime import UTC
from pathlib import Path
from uuid import uuid4

import pytest

from im_cli.chat.plain import PlainOptions, received_line
from im_cli.exit_code import CommandError, ExitCode
from tests.chat_support.values import GUEST, message, people
from tests.support.cluster import Cluster

PASSWORD = "correct horse"
LINE = re.compile(r"^\d\d:\d\d @(\S.*?): (.*)$")


def test_a_received_message_is_one_line() -> None:
    assert received_line(message(1, "a\nb\\ \x1b[0m"), people(), UTC) == "12:00 @grace: a\\nb\\\\ \ufffd[0m"
    assert received_line(message(1, "hi", sender_id=GUEST.user_id), people(), UTC) == "12:00 @Visitor: hi"


@pytest.mark.parametrize(
    "options", [{}, {"to": "a", "world": True}, {"world": True, "register": True}, {"to": "a", "conversation": 3}]
)
def test_flags_that_make_no_sense_are_told(options: dict[str, object]) -> None:
    with pytest.raises(CommandError) as caught:
        PlainOptions(**options).check()  # type: ignore[arg-type]
    assert caught.value.code is ExitCode.USAGE


class Pipes:
    """`im chat --plain` of one account."""

    def __init__(self, url: str, state_dir: Path) -> None:
        self.handle = f"p{uuid4().hex[:10]}"
        self._command = [
            sys.executable, "-m", "im_cli.main", "chat", "--plain", "--url", url, "--state-dir", str(state_dir),
        ]  # fmt: skip

    def run(self, *arguments: str, lines: str = "") -> "subprocess.CompletedProcess[str]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IM_")}
        return subprocess.run(
            [*self._command, *arguments],
            input=lines, env={**inherited, "IM_CHAT_PASSWORD": PASSWORD}, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    def register(self) -> None:
        made = self.run("--handle", self.handle, "--register", "--world")
        assert (made.returncode, made.stdout) == (0, ""), made.stderr


@pytest.fixture
def two(cluster: Cluster, tmp_path: Path) -> tuple[Pipes, Pipes]:
    pair = Pipes(cluster.url, tmp_path / "one"), Pipes(cluster.url, tmp_path / "two")
    for each in pair:
        each.register()
    return pair


def test_lines_go_in_and_come_out_once(two: tuple[Pipes, Pipes]) -> None:
    one, other = two
    sent = one.run("--to", f"@{other.handle}", lines="first\n\nsecond 你好\n")
    assert (sent.returncode, sent.stdout, sent.stderr) == (0, "", "")

    heard = other.run("--to", one.handle, "--wait", "2")
    assert heard.returncode == 0
    matched = [LINE.match(line) for line in heard.stdout.splitlines()]
    assert [found.groups() for found in matched if found] == [(one.handle, "first"), (one.handle, "second 你好")]

    again = other.run("--to", one.handle, "--wait", "0.5")
    assert (again.returncode, again.stdout) == (0, "")


def test_a_refused_line_ends_with_its_code(two: tuple[Pipes, Pipes]) -> None:
    one, other = two
    refused = one.run("--to", other.handle, lines="x" * 60_000 + "\ngood\n")
    assert refused.returncode == ExitCode.REFUSED
    assert "too long" in refused.stderr
    assert refused.stdout == ""


def test_unknown_people_and_conversations_are_told(two: tuple[Pipes, Pipes]) -> None:
    one, _ = two
    for arguments in (("--to", "@nobody_here"), ("--conversation", "12345")):
        ended = one.run(*arguments, lines="hi\n")
        assert (ended.returncode, ended.stdout) == (ExitCode.REFUSED, "")
        assert ended.stderr.startswith("im: ")


def test_without_a_server_nothing_hangs(tmp_path: Path) -> None:
    ended = Pipes("http://127.0.0.1:1", tmp_path).run("--guest", "Visitor", "--world", "--timeout", "1", lines="hi\n")
    assert (ended.returncode, ended.stdout) == (ExitCode.UNREACHABLE, "")
    assert "no answer" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_a_login_it_says_how_to_get_one(cluster: Cluster, tmp_path: Path) -> None:
    ended = Pipes(cluster.url, tmp_path).run("--world", lines="hi\n")
    assert ended.returncode == ExitCode.USAGE
    assert "--handle" in ended.stderr
