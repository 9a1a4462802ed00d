"""The promise of the family `sql`."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from im_infra.sql.at_once import WriteAtOnce
from im_infra.sql.statements import Closing

T = TypeVar("T")
Unit = Callable[[Connection], T]


class Database(Protocol):
    """A database that runs units of work.

    A unit is a plain function over a SQLAlchemy `Connection`: it runs wholly inside one transaction, away from the
    event loop (a thread for SQLite, a greenlet over the async driver elsewhere), so the same unit serves every
    member. It must not keep the connection, block on anything else, or touch objects that the loop changes.

    A unit may run more than once: after a deadlock, or where its connection broke before COMMIT was sent, it is run
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

    @property
    def closing_lanes(self) -> int:
        """How many units of `write_closing` run side by side."""
        ...

    async def write_closing(self, unit: Unit[Closing[T]]) -> T:
        """As `write`, for what is done for every message: the unit hands over its last statements.

        They are run after it and committed with it, all in one round trip where the engine can. What `read_together`
        asks in such a unit is one round trip, too. Where units run one after the other it goes before those of `write`
        that wait.

        Raises:
            ImError: as `write`.
        """
        ...

    @property
    def write_at_once(self) -> WriteAtOnce | None:
        """Runs statements and COMMIT in one round trip, where a round trip costs something; None elsewhere.

        For what rests on things known before, which the statements themselves have to put to the test: one that
        finds them changed fails, by `at_once.if_changed` or on a unique key, and nothing after it is run. Answers the id
        that each statement gave its new row, if it gave one.
        As many of them run side by side as `closing_lanes`, together with those of `write_closing`.

        Raises:
            StaleError: one of them failed so; nothing committed.
            ImError: as `write`. After a deadlock the statements are run again.
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
