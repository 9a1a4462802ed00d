"""SQLite's driver without SQLAlchemy around it, for statements by hand: 1 µs a statement instead of 20."""

import sqlite3
from collections.abc import Sequence

from im_infra.sql.statements import Rows, Statement


class SqliteShortcut:
    """The shortcut of a connection; used in the connection's own thread.

    Args:
        connection: the driver's own.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: Statement) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(statement.sql, statement.values)

    def read(self, statements: Sequence[Statement]) -> list[Rows]:
        """See `Shortcut.read`."""
        return [self.execute(one).fetchall() for one in statements]

    def write(self, statements: Sequence[Statement]) -> list[int]:
        """See `Shortcut.write`; after one that inserts nothing the id is any number."""
        return [self.execute(one).lastrowid or 0 for one in statements]
