"""Bring a database to the newest revision, or say why that cannot be.

Units over a connection, like all others: `await database.write(upgrade)`.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from im_infra import error_table
from im_infra.errors import ImError

HEAD: Final = "0002"
"""The newest revision; a test compares it with `versions/`."""

_VERSION: Final = Table("alembic_version", MetaData(), Column("version_num", String))


class SchemaError(ImError):
    """The database is not one that this version can work with; nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__(error_table.INTERNAL, message)


def current(connection: Connection) -> str | None:
    """The stored revision; None in an empty database.

    Raises:
        SchemaError: there are tables, but no revision: it is not ours, or is damaged.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if _VERSION.name not in tables:
        raise SchemaError("the database holds tables but no revision: it belongs to something else, or is damaged")
    revisions = list(connection.scalars(select(_VERSION.c.version_num)))
    if len(revisions) > 1:
        raise SchemaError(f"the database names {len(revisions)} revisions; there must be one")
    if not revisions and tables != {_VERSION.name}:
        raise SchemaError("the database names no revision: an upgrade was cut short, restore a backup")
    return str(revisions[0]) if revisions else None


def upgrade(connection: Connection) -> str | None:
    """Bring the schema to `HEAD`; all or nothing on SQLite. Returns the revision that was there before.

    Raises:
        SchemaError: the database was written by a newer version, or is not ours.
    """
    before = current(connection)
    if before != HEAD:
        _run(connection, before)
    return before


def require_head(connection: Connection) -> None:
    """Refuse to serve a database that is not at `HEAD`: for processes that must not upgrade by themselves.

    Raises:
        SchemaError: it is older or newer.
    """
    found = current(connection)
    if found != HEAD:
        raise SchemaError(f"the database is at revision {found}, this version needs {HEAD}: run `im migrate`")


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
