"""A clock that a test sets, for one process: libfaketime under it."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Final

from im_cli.engines.engine import Engine, Requirement

REQUIREMENTS: Final = (Requirement("faketime", "faketime"),)
LIBRARY: Final = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


class FakeClock:
    """The clock of one process, told by a file.

    Args:
        server: the process.
        monotonic: it moves the monotonic clock as well, as if so much time had passed.
    """

    def __init__(self, server: Engine, *, monotonic: bool = False) -> None:
        self._server = server
        self._file = server.folder / f"{server.name}.clock"
        self._environment = dict(server.environment)
        self._monotonic = monotonic

    def set_offset(self, seconds: float) -> None:
        """From the true time; the process looks once a second."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+.0f}\n", encoding="ascii")
        fresh.replace(self._file)  # at no moment is there half of it to read

    async def read_offset(self) -> float:
        """How far a program that is started on this clock is from the true time, in seconds."""
        told = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", "import time; print(time.time())"),
            env={**os.environ, **self._server.environment},
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await told.communicate()
        return float(output) - time.time()

    async def put_on(self) -> None:
        """Start the process anew on it, with the true time."""
        self.set_offset(0)
        self._server.environment = {
            **self._environment,
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "0" if self._monotonic else "1",
        }
        await asyncio.to_thread(self._server.restart)

    async def take_off(self) -> None:
        """Start it anew on the true clock."""
        self._server.environment = self._environment
        await asyncio.to_thread(self._server.restart)
