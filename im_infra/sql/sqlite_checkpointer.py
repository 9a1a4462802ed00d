"""Moves what is committed from SQLite's write-ahead log into the database file, beside the writer.

SQLite does that in the commit that fills the log, and the writer waits: 200 ms for 4,000 pages, in which no message is
acknowledged. Any other connection may do it as well, in passive mode, in which writer and readers go on meanwhile
(https://www.sqlite.org/c3ref/wal_checkpoint_v2.html). What the writer's own commits are left with is little, and only if
this falls behind for long.
"""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from im_infra.observability import logs

UNITS: Final = 64
"""Committed units between two rounds: some hundred pages, 2 to 5 ms of a thread that nobody waits for."""

_LOG: Final = logs.get(__name__)


class SqliteCheckpointer:
    """A thread with a connection of its own.

    Args:
        path: the database file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-checkpointer")
        self._connection: sqlite3.Connection | None = None
        self._units = 0
        self._failed = False
        self.working = False
        """A round is under way."""

    def committed(self) -> None:
        """A unit was committed; called by the writing thread alone. Starts a round when it is time for one; never fails."""
        self._units += 1
        if self._units >= UNITS and not self.working:
            self._units, self.working = 0, True
            try:
                self._thread.submit(self._round)
            except RuntimeError as error:  # no thread is to be had: the unit is committed all the same
                self.working = False
                self._tell(error)

    def shut_down(self) -> None:
        """End, after the round under way; blocks until then."""
        self._thread.shutdown()

    def close(self) -> None:
        """Close the connection; after `shut_down`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _round(self) -> None:
        try:
            self._move()
            self._failed = False
        except sqlite3.Error as error:
            self.close()
            self._tell(error)
        finally:
            self.working = False

    def _tell(self, error: Exception) -> None:
        if not self._failed:  # once, not 64 commits later again
            _LOG.warning("checkpoint failed; commits do it themselves until it succeeds", error=str(error))
        self._failed = True

    def _move(self) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA synchronous = 2")
        for _ in range(2):  # the second takes what came during the first: where all is moved, the log begins anew
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
