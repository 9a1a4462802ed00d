"""Telling repo that entries took effect, so that their outbox rows go.

A stretch is confirmed when every gateway it was meant for has acknowledged it (and the bus took it, where that is asked
too). What is never confirmed (a gateway broke, a queue was full, repo's process is another one by now) is repeated by
repo's sweeper: nothing here is remembered for it.
"""

import asyncio
from typing import Final

from im_logic.repo_stream import RepoClient, RepoStream
from im_proto.repo.v1.stream_pb2 import ConfirmedRange

GATHER_S: Final = 0.05
"""Far below the 3 s after which the sweeper repeats a row; nobody waits for it."""
_MAX_RANGES: Final = 1_000


class Countdown:
    """What a stretch of entries still waits for; it confirms itself at zero.

    Whoever is handed one owes it one `done`; what is dropped on the way owes it for ever, so it is never confirmed.
    """

    __slots__ = ("_client", "_confirmations", "boot_id", "left", "stretch")

    def __init__(
        self,
        confirmations: "Confirmations",
        client: RepoClient | None,
        boot_id: str,
        stretch: ConfirmedRange,
        *,
        left: int = 1,
    ) -> None:
        self._confirmations = confirmations
        self._client = client
        self.boot_id = boot_id
        self.stretch = stretch
        self.left = left

    @classmethod
    def unguarded(cls, confirmations: "Confirmations") -> "Countdown":
        """For what no outbox row waits for."""
        return cls(confirmations, None, "", ConfirmedRange())

    @property
    def outbox_id(self) -> int:
        """The row that waits; 0: none."""
        return self.stretch.outbox_id

    def wait_for_one_more(self) -> None:
        """Something else has to be done; if it never is, the stretch is never confirmed."""
        self.left += 1

    def done(self) -> None:
        """One thing was done."""
        self.left -= 1
        if not self.left and self._client is not None and self.stretch.outbox_id:
            self._confirmations.add(self._client, self.boot_id, self.stretch)


class Confirmations:
    """Gathers what is confirmed within a moment into one request per repo process.

    Args:
        repo: the streams.
        gather_s: how long a moment is, in seconds.
    """

    def __init__(self, repo: RepoStream, *, gather_s: float = GATHER_S) -> None:
        self._repo = repo
        self._gather_s = gather_s
        # Emptied after `gather_s`, and at 1,000 ranges of a process at once.
        self._gathered: dict[tuple[RepoClient, str], list[ConfirmedRange]] = {}
        self._scheduled = False

    def add(self, client: RepoClient, boot_id: str, confirmed: ConfirmedRange) -> None:
        """Confirm a stretch to the process that stored it."""
        ranges = self._gathered.setdefault((client, boot_id), [])
        ranges.append(confirmed)
        if len(ranges) >= _MAX_RANGES:
            del self._gathered[client, boot_id]
            self._repo.confirm(client, boot_id, ranges)
        elif not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_later(self._gather_s, self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        gathered, self._gathered = self._gathered, {}
        for (client, boot_id), ranges in gathered.items():
            self._repo.confirm(client, boot_id, ranges)
