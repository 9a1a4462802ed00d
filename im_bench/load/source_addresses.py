"""Which address a connection comes from: one address has about 28,000 ports to the same server."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from im_bench.load.schedule import Part

PER_ADDRESS: Final = 20_000
ON_LOOPBACK: Final = 250
"""127.0.0.1 to 127.0.0.250."""


class SourceAddresses:
    """Deals source addresses to the connections of one process; no two processes share one on loopback.

    Args:
        url: of the server. On loopback, addresses of 127.0.0.0/24 are taken by themselves.
        part: which process this is.
        given: addresses of this machine to take in turn instead; empty: none was given.
    """

    def __init__(self, url: str, part: Part, given: Sequence[str] = ()) -> None:
        host = urlsplit(url).hostname or ""
        self._loopback = host.startswith("127.") or host == "localhost"
        self._part = part
        self._given = tuple(given)
        self._next = 0

    def take(self) -> str | None:
        """The address of the next connection; None: the system chooses."""
        number, self._next = self._next, self._next + 1
        if self._given:
            return self._given[(number * self._part.count + self._part.index) % len(self._given)]
        if not self._loopback:
            return None
        block = number // PER_ADDRESS * self._part.count + self._part.index
        return f"127.0.0.{1 + block % ON_LOOPBACK}"
