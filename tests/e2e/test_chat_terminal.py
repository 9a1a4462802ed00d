"""Two people with two real terminals."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from im_cli.chat.widgets.palette import DARK
from tests.chat_support.terminal import Terminal
from tests.support.cluster import Cluster

F2 = "\x1bOQ"
CTRL_Q = "\x11"
CTRL_UP = "\x1b[1;5A"
UP = "\x1b[A"


def register(terminal: Terminal, handle: str) -> None:
    terminal.until_shown("Log in")
    terminal.press(F2)
    terminal.until_shown("8 characters")
    terminal.press(handle, "\r", "correct horse", "\r")
    terminal.until_shown(f"@{handle}")


@pytest.fixture
def terminals(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[Terminal, Terminal]]:
    with ExitStack() as stack:
        yield (
            stack.enter_context(Terminal("--url", cluster.url, state_dir=tmp_path / "one")),
            stack.enter_context(Terminal("--url", cluster.url, state_dir=tmp_path / "two")),
        )


def test_two_people_register_talk_and_see_ticks(
    cluster: Cluster, terminals: tuple[Terminal, Terminal], tmp_path: Path
) -> None:
    ada, grace = terminals
    register(ada, "pty_ada")
    register(grace, "pty_grace")

    ada.press("/new @pty_grace", "\r")
    ada.until_shown("Write the first message")
    ada.press("hello over there", "\r")
    ada.until(lambda: "✓" in ada.line("▎ hello over there"), "the tick of a sent message")
    grace.until_shown("hello over there")
    grace.press(CTRL_UP)
    grace.until_shown("▎ hello over there")
    grace.press("and hello back", "\r")
    ada.until_shown("and hello back")
    ada.until(lambda: "✓✓" in ada.line("▎ hello over there"), "the ticks of a delivered message")
    read = DARK.read.removeprefix("#")
    ada.until(lambda: ada.colour_of("▎ hello over there", "✓") == read, "the colour of a read message")

    ada.press(UP)
    ada.until_shown("Changing your message")
    ada.press("!", "\r")
    grace.until_shown("hello over there! (edited)")

    ada.press(CTRL_Q)
    started = time.monotonic()
    assert ada.wait_for_end() == 0
    assert time.monotonic() - started < 5

    with Terminal("--url", cluster.url, state_dir=tmp_path / "one") as again:
        again.until_shown("and hello back")
        again.until_at_rest()
        assert again.text.count("hello over there!") == 1
        again.press("\x03")
        assert again.wait_for_end() == 0


def test_a_terminal_without_a_server_says_what_to_do(tmp_path: Path) -> None:
    with Terminal("--url", "http://127.0.0.1:1", state_dir=tmp_path) as alone:
        alone.until_shown("Log in")
        alone.press("ada", "\r", "correct horse", "\r")
        alone.until_shown("does not answer")
        assert "Traceback" not in alone.text
        alone.press(CTRL_Q)
        assert alone.wait_for_end() == 0
