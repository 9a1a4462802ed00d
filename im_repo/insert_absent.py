"""Insert a row unless its key is there already: how two writers make the same thing once."""

from collections.abc import Mapping

from sqlalchemy import Connection, Table, insert
from sqlalchemy.exc import IntegrityError


def insert_absent(connection: Connection, table: Table, row: Mapping[str, object]) -> bool:
    """Insert `row` unless a row with its key exists; the transaction goes on in both cases.

    A second writer waits here for the first one's transaction. Told by the engine's own refusal, because the count of
    affected rows of an upsert differs between drivers, and INSERT IGNORE would swallow bad data as well.

    Returns:
        True: inserted. False: another row has the key, and can be read now.
    """
    try:
        connection.execute(insert(table), dict(row))
    except IntegrityError:
        return False
    return True
