"""The distributed member: MySQL or MariaDB behind asyncmy, with a pool each for appends, other writes and reads.

A unit is a plain function; it runs in a greenlet on the event loop, where each of its statements awaits the server
without its noticing. So it must not block, and what it computes between two statements holds up the loop.

Reads have one snapshot for a whole unit (REPEATABLE READ, read-only); writes see what is committed at each statement
(READ COMMITTED), which after a row's lock is what the transaction before it left.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from enum import Enum, auto
from typing import Any, Final, TypeVar, cast

from asyncmy.errors import MySQLError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import greenlet_spawn

from im_infra.aio import spawn
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Unit
from im_infra.sql.at_once import WriteAtOnce
from im_infra.sql.deadline import DEADLINE
from im_infra.sql.errors import OutcomeUnknownError, StaleError, StoreBusyError, StoreUnavailableError
from im_infra.sql.mysql_connections import Purpose, make_engine
from im_infra.sql.mysql_errors import is_deadlock, is_stale, translate
from im_infra.sql.mysql_packets import Packets, RefusedError
from im_infra.sql.mysql_space import SpaceWatch, waits_for_space
from im_infra.sql.settings import MysqlSettings
from im_infra.sql.statements import SHORTCUT, Closing, Statement

T = TypeVar("T")

CHECK_TIMEOUT_S: Final = 1.0
_DEADLOCK_TRIES: Final = 10
_LOST_TRIES: Final = 2
"""A connection may have gone stale in the pool; a second one that breaks has a reason that stays."""
_DEADLOCK_WAIT_S: Final = 0.01


class _Stage(Enum):
    """How far an attempt has come: what its failure leaves behind."""

    WAITING = auto()
    """It has no connection yet."""
    RUNNING = auto()
    COMMITTING = auto()
    """COMMIT may be on its way."""


class _Attempt:
    """The run of a unit under way, as the loop sees it.

    Args:
        timeout_s: its time.
        answer: told what becomes of it.
    """

    def __init__(self, timeout_s: float, answer: asyncio.Future[Any]) -> None:
        self.stage = _Stage.WAITING
        self.answer = answer
        self.timeout_s = timeout_s
        self.deadline = asyncio.timeout(timeout_s)
        self.given_up = ""
        """Why it was, before its time."""

    def allow(self, seconds: float) -> None:
        """Move the deadline."""
        self.timeout_s = seconds
        self.deadline.reschedule(asyncio.get_running_loop().time() + seconds)

    def give_up(self, why: str) -> None:
        """Let it end as if its time were over; a COMMIT on its way has an outcome that is unknown."""
        if not self.deadline.expired():
            self.given_up = why
            self.deadline.reschedule(asyncio.get_running_loop().time())


_Work = Callable[[Connection, _Attempt], T]
_Watch = Callable[[_Attempt], AbstractContextManager[None]]


def _unwatched(_attempt: _Attempt) -> AbstractContextManager[None]:
    return nullcontext()


class MysqlDatabase:
    """A database server, as `abstract.Database` promises. Made by `open_mysql`.

    Args:
        settings: where it is, who we are, how many connections and how long to wait.

    Raises:
        OSError: a PEM file cannot be read.
    """

    def __init__(self, settings: MysqlSettings) -> None:
        self._settings = settings
        self._append_engine = make_engine(settings, Purpose.APPEND, connections=settings.append_connections)
        self._write_engine = make_engine(settings, Purpose.WRITE, connections=settings.write_connections)
        self._read_engine = make_engine(settings, Purpose.READ, connections=settings.read_connections)
        self._space = SpaceWatch(lambda: self.read(waits_for_space))
        # Unbounded by itself; who submits is bounded: the append queue, stream credit, the gRPC server's limit.
        self._running: set[asyncio.Task[None]] = set()

    @property
    def dialect(self) -> str:
        """`mysql`, for MariaDB too."""
        return "mysql"

    @property
    def closing_lanes(self) -> int:
        """See `abstract.Database.closing_lanes`."""
        return self._settings.append_connections

    async def write(self, unit: Unit[T]) -> T:
        """See `abstract.Database.write`; units run side by side."""
        return await self._run(
            self._write_engine.sync_engine,
            lambda connection, attempt: _write(connection, unit, attempt),
            watch=self._space.over,
        )

    async def write_closing(self, unit: Unit[Closing[T]]) -> T:
        """See `abstract.Database.write_closing`; what the unit closes with is one packet with COMMIT."""
        return await self._run(
            self._append_engine.sync_engine,
            lambda connection, attempt: _close(connection, unit, attempt),
            watch=self._space.over,
        )

    @property
    def write_at_once(self) -> WriteAtOnce | None:
        """See `abstract.Database.write_at_once`."""
        return self._write_at_once

    async def _write_at_once(self, statements: Sequence[Statement]) -> list[int]:
        return await self._run(
            self._append_engine.sync_engine,
            lambda connection, attempt: _write_packet(connection, statements, attempt),
            watch=self._space.over,
        )

    async def read(self, unit: Unit[T]) -> T:
        """See `abstract.Database.read`; a unit sees the snapshot of its first statement."""
        return await self._run(
            self._read_engine.sync_engine, lambda connection, attempt: _read(connection, unit, attempt)
        )

    async def check(self) -> None:
        """See `abstract.Database.check`."""
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await self.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar_one())
        except TimeoutError as error:
            raise StoreUnavailableError(f"the database did not answer within {CHECK_TIMEOUT_S:g} s") from error

    def measure(self, metrics: Metrics) -> None:
        """Have what is in use asked for when somebody looks."""
        pools = {"append": self._append_engine, "write": self._write_engine, "read": self._read_engine}
        for name, engine in pools.items():
            pool = cast(QueuePool, engine.pool)
            metrics.gauge("im_sql_busy_connections").labels(name).set_function(pool.checkedout)
        metrics.gauge("im_sql_open_units").set_function(self._running.__len__)

    async def close(self) -> None:
        """Close all connections, after the units under way: each ends within its own deadline."""
        await self._space.close()
        if self._running:
            await asyncio.wait(self._running)
        for engine in (self._append_engine, self._write_engine, self._read_engine):
            await engine.dispose()

    async def _run(self, engine: Engine, work: _Work[T], *, watch: _Watch = _unwatched) -> T:
        """Run `work` as a task of its own: a caller that is cancelled goes on at once, and the task to its end."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        task = spawn(self._answer(answer, engine, work, watch), name="sql.unit")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await answer

    async def _answer(self, answer: asyncio.Future[T], engine: Engine, work: _Work[T], watch: _Watch) -> None:
        attempt = _Attempt(self._settings.unit_timeout_s, answer)
        try:
            async with attempt.deadline:
                with watch(attempt):
                    result = await _until_done(engine, work, attempt)
        except TimeoutError:
            _settle(answer, error=_late(attempt))
        except BaseException as error:
            _settle(answer, error=error)
            if not isinstance(error, Exception):
                raise
        else:
            _settle(answer, result)


@asynccontextmanager
async def open_mysql(settings: MysqlSettings, metrics: Metrics | None = None) -> AsyncIterator[MysqlDatabase]:
    """A database server while the context is open.

    Args:
        settings: see `MysqlDatabase`.
        metrics: where it tells what is in use.

    Raises:
        StoreUnavailableError: it cannot be reached, does not let us in, or shows a certificate that we do not trust.
    """
    try:
        database = MysqlDatabase(settings)
    except OSError as error:
        raise StoreUnavailableError(f"a PEM file of the database's TLS settings: {error}") from error
    try:
        await database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar_one())
        if metrics is not None:
            database.measure(metrics)
        yield database
    finally:
        await database.close()


async def _until_done(engine: Engine, work: _Work[T], attempt: _Attempt) -> T:
    """Run `work`, again after a deadlock, and once more where a connection broke before COMMIT: nothing is there."""
    tries = 0
    while True:
        tries += 1
        attempt.stage = _Stage.WAITING
        try:
            return await greenlet_spawn(_on_connection, engine, work, attempt)
        except Exception as error:
            translated = translate(error, committing=attempt.stage is _Stage.COMMITTING)
            if translated is None:
                raise
            if tries >= _tries(error, translated, attempt.stage):
                if translated is error:
                    raise
                raise translated from error
        await asyncio.sleep(random.random() * _DEADLOCK_WAIT_S * tries)  # noqa: S311 - jitter


def _tries(error: Exception, translated: ImError, stage: _Stage) -> int:
    """How often a unit that fails so is run at most."""
    if is_deadlock(error):
        return _DEADLOCK_TRIES
    lost = isinstance(translated, StoreUnavailableError) and translated is not error
    return _LOST_TRIES if lost and stage is _Stage.RUNNING else 1


def _on_connection(engine: Engine, work: _Work[T], attempt: _Attempt) -> T:
    """Run `work` on a connection of the pool; in a greenlet.

    After an error of the database or a cancel the connection is dropped, and with it its transaction: it may be out of
    step, and would give the next unit this one's answer.
    """
    with engine.connect() as connection:
        attempt.stage = _Stage.RUNNING
        connection.info[DEADLINE] = attempt.allow
        try:
            return work(connection, attempt)
        except BaseException as error:
            if not isinstance(error, Exception) or translate(error) not in {None, error}:
                connection.invalidate()
            else:
                _roll_back(connection)
            raise


def _roll_back(connection: Connection) -> None:
    """End the transaction of a unit that only read, or that raised an error of its own."""
    try:
        if connection.in_transaction():
            connection.rollback()
        elif (packets := connection.info.get(SHORTCUT)) is not None:
            packets.roll_back()  # SQLAlchemy does not know of what went past it
    except (DBAPIError, MySQLError):
        connection.invalidate()


def _write(connection: Connection, unit: Unit[T], attempt: _Attempt) -> T:
    result = unit(connection)
    attempt.stage = _Stage.COMMITTING
    connection.commit()
    return result


def _close(connection: Connection, unit: Unit[Closing[T]], attempt: _Attempt) -> T:
    closing = unit(connection)
    return closing.answer(_commit(connection, closing.statements, attempt))


def _write_packet(connection: Connection, statements: Sequence[Statement], attempt: _Attempt) -> list[int]:
    try:
        return _commit(connection, statements, attempt)
    except MySQLError as error:
        if attempt.stage is _Stage.RUNNING and is_stale(error):
            raise StaleError(f"MySQL {error}") from error
        raise


def _commit(connection: Connection, statements: Sequence[Statement], attempt: _Attempt) -> list[int]:
    packets: Packets = connection.info[SHORTCUT]
    attempt.stage = _Stage.COMMITTING
    try:
        return packets.write_and_commit(statements)
    except RefusedError as error:
        attempt.stage = _Stage.RUNNING
        raise error.refusal from error


def _read(connection: Connection, unit: Unit[T], attempt: _Attempt) -> T:
    result = unit(connection)
    _settle(attempt.answer, result)  # who asked need not wait for the round trip that ends the transaction
    _roll_back(connection)
    return result


def _late(attempt: _Attempt) -> ImError:
    told = attempt.given_up or f"the database did not answer within {attempt.timeout_s:g} s"
    match attempt.stage:
        case _Stage.WAITING:
            return StoreBusyError("no connection to the database became free in time")
        case _Stage.RUNNING:
            return StoreUnavailableError(told)
        case _Stage.COMMITTING:
            return OutcomeUnknownError(told)


def _settle(answer: asyncio.Future[T], result: T | None = None, *, error: BaseException | None = None) -> None:
    """Answer, unless the caller has gone."""
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)  # type: ignore[arg-type]  # a unit may well answer None
