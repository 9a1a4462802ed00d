"""The promise of the family `sql`."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Unit = Callable[[Connection], T]


class Database(Protocol):
    """A database that runs units of work.

    A unit is a plain function over a SQLAlchemy `Connection`: it runs wholly inside one transaction, away from the
    event loop (a thread for SQLite, a greenlet over the async driver elsewhere), so the same unit serves every
    member. It must not keep the connection, block on anything else, or touch objects that the loop changes.

    A unit may run more than once: after a deadlock (1213) or where the database was busy, it is rolled back and run
    again from its beginning. After a COMMIT with an unknown outcome it is **not** run again: the caller decides.

    Cancelling an awaiting caller never cancels the database call: the unit ends, its connection stays in step.
    """

    @property
    def dialect(self) -> str:
        """`sqlite` or `mysql`: for the few expressions that differ, never for behaviour."""
        ...

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in a write transaction and commit it; durable when this returns.

        Units are run one after the other (SQLite) or side by side under row locks (MySQL), in no promised order.

        Raises:
            ImError: whatever the unit raises, after a rollback.
            StoreBusyError: the lock was not to be had in time; nothing committed.
            StoreFullError: the disk is full; nothing committed.
            StoreUnavailableError: no connection, or read-only; nothing committed.
            DataRejectedError: the database refused the data itself; nothing committed.
            OutcomeUnknownError: the connection broke at COMMIT.
        """
        ...

    async def read(self, unit: Unit[T]) -> T:
        """Run `unit` in a read transaction (one snapshot where the engine has them).

        Raises:
            ImError: whatever the unit raises.
            StoreBusyError: the database stayed locked; try again.
            StoreUnavailableError: no connection.
        """
        ...

    async def check(self) -> None:
        """Answer a ping within a second, or raise StoreUnavailableError: for readiness."""
        ...
