"""A clock that a test sets, for one process: libfaketime under it."""

import asyncio
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
        """From the true time."""
        self._file.write_text(f"{seconds:+.0f}\n", encoding="ascii")

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
