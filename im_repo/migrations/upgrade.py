"""Bring a database to the newest revision, or say why that cannot be.

Units over a connection, like all others: `await database.write(upgrade)`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, literal, select

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.deadline import allow_time
from im_infra.sql.errors import StoreBusyError
from im_repo.schema import TABLES

HEAD: Final = "0002"
"""The newest revision; a test compares it with `versions/`."""
TRANSFER_NAME: Final = "data_transfer"
"""The table that is there while `im migrate-data` carries data into the database: nothing serves it meanwhile."""

_UPGRADE_S: Final = 3_600
"""A revision may rewrite tables of any size; whoever waits for it waits as long."""
_VERSION: Final = Table("alembic_version", MetaData(), Column("version_num", String))


class SchemaError(ImError):
    """The database is not one that this version can work with; nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__(error_table.INTERNAL, message)


def current(connection: Connection) -> str | None:
    """The stored revision; None in an empty database.

    Raises:
        SchemaError: there are tables, but no revision: it is not ours, or is damaged; or data is being carried into it.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if TRANSFER_NAME in tables:
        raise SchemaError(
            "data is being carried into the database: let `im migrate-data` end it, or empty the database"
        )
    if _VERSION.name not in tables:
        raise SchemaError("the database holds tables but no revision: it belongs to something else, or is damaged")
    revisions = list(connection.scalars(select(_VERSION.c.version_num)))
    if len(revisions) > 1:
        raise SchemaError(f"the database names {len(revisions)} revisions; there must be one")
    if not revisions and tables != {_VERSION.name}:
        raise SchemaError("the database names no revision: an upgrade was cut short, restore a backup")
    return str(revisions[0]) if revisions else None


def stored_revision(connection: Connection) -> str | None:
    """The stored revision of a database that has one, whatever else is going on in it."""
    return connection.scalar(select(_VERSION.c.version_num))


def upgrade(connection: Connection) -> str | None:
    """Bring the schema to `HEAD`, whoever else starts at the same moment. Returns the revision that was there before.

    All or nothing on SQLite. On MySQL each statement commits by itself: an upgrade that is cut short before it made the
    whole first schema is made anew, a later one needs a backup.

    Raises:
        SchemaError: the database was written by a newer version, or is not ours.
        StoreBusyError: another process has been upgrading it for an hour.
    """
    if connection.dialect.name == "sqlite":  # the one writer: nobody else upgrades now
        return _upgrade(connection)
    if _is_at_head(connection):
        return HEAD
    allow_time(connection, _UPGRADE_S)
    with _alone(connection):
        _clear_half_made(connection)
        return _upgrade(connection)


def require_head(connection: Connection) -> None:
    """Refuse to serve a database that is not at `HEAD`: for processes that must not upgrade by themselves.

    Raises:
        SchemaError: it is older or newer.
    """
    found = current(connection)
    if found != HEAD:
        raise SchemaError(f"the database is at revision {found}, this version needs {HEAD}: run `im migrate`")


def _upgrade(connection: Connection) -> str | None:
    before = current(connection)
    if before != HEAD:
        _run(connection, before)
    return before


def _is_at_head(connection: Connection) -> bool:
    try:
        return current(connection) == HEAD
    except SchemaError:  # another process may be in the midst of it: look again when it is done
        return False


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the lock of whoever upgrades this database of a server."""
    name = "LEFT(CONCAT('im.upgrade.', DATABASE()), 64)"
    if not connection.exec_driver_sql(f"SELECT GET_LOCK({name}, {_UPGRADE_S})").scalar():
        raise StoreBusyError("another process is upgrading the database")
    try:
        yield
        connection.exec_driver_sql("COMMIT")  # the revision: whoever waits would run it once more
    finally:
        connection.exec_driver_sql(f"DO RELEASE_LOCK({name})")


def _clear_half_made(connection: Connection) -> None:
    """Drop what the very first upgrade left when it was cut short: tables of ours without a row, and no revision."""
    tables = set(inspect(connection).get_table_names())
    ours = {table.name: table for table in TABLES} | {_VERSION.name: _VERSION}
    if _VERSION.name not in tables or not tables <= set(ours):
        return
    if any(connection.execute(select(literal(1)).select_from(ours[name]).limit(1)).first() for name in tables):
        return
    for name in tables:
        ours[name].drop(connection)


def _run(connection: Connection, before: str | None) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import and needed once per upgrade, not at each start
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise SchemaError(
            f"the database is at revision {before}, which this version (up to {HEAD}) does not know: "
            "it was written by a newer one. Run that version, or restore a backup from before its upgrade"
        )
    command.upgrade(config, HEAD)
