"""A program in a real pseudo-terminal, and what stands on its screen."""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pexpect
import pyte

DEADLINE_S = 40.0
STEP_S = 0.02
REST_S = 0.15


class Terminal:
    """`im chat` at 80 columns and 24 lines.

    Args:
        arguments: behind `im chat`.
        state_dir: the state folder.
    """

    def __init__(self, *arguments: str, state_dir: Path) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IM_")}
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "im_cli.main", "chat", "--state-dir", str(state_dir), *arguments],
            env={**inherited, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"},
            dimensions=(24, 80),
            timeout=DEADLINE_S,
        )
        self._drawn = 0
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()  # always: a program whose terminal nobody reads stands still

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)

    @property
    def text(self) -> str:
        """The screen."""
        with self._lock:
            return "\n".join(self._screen.display)

    def line(self, part: str) -> str:
        """The line that has `part`; empty: none."""
        return next((line for line in self.text.splitlines() if part in line), "")

    def colour_of(self, part: str, sign: str) -> str:
        """The colour of a sign on the line that has `part`; empty: there is none."""
        with self._lock:
            for number, line in enumerate(self._screen.display):
                if part in line and sign in line:
                    return str(self._screen.buffer[number][line.rindex(sign)].fg)
        return ""

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + DEADLINE_S
        while not true():
            time.sleep(STEP_S)
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come; on the screen:\n{self.text}")

    def until_shown(self, part: str) -> None:
        """Wait until it shows something."""
        self.until(lambda: part in self.text, repr(part))

    def until_at_rest(self) -> None:
        """Wait until nothing was drawn for a while."""
        drawn, since = self._drawn, time.monotonic()
        deadline = since + DEADLINE_S
        while time.monotonic() - since < REST_S:
            time.sleep(STEP_S)
            if self._drawn != drawn:
                drawn, since = self._drawn, time.monotonic()
            assert since < deadline, f"it never rests:\n{self.text}"

    def press(self, *keys: str) -> None:
        """Type, each key once the last one's effect is drawn."""
        for key in keys:
            self.until_at_rest()
            self._child.send(key)

    def wait_for_end(self) -> int:
        """The exit status."""
        self.until(lambda: not self._child.isalive(), "the end")
        self._child.close()
        assert self._child.exitstatus is not None, f"killed by signal {self._child.signalstatus}"
        return int(self._child.exitstatus)

    def _read(self) -> None:
        while True:
            try:
                drawn = os.read(self._child.child_fd, 65536)
            except OSError:
                return
            if not drawn:
                return
            with self._lock:
                self._stream.feed(drawn)
                self._drawn += 1
