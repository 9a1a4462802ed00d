"""Forget operations that no retry can ask for any more."""

from typing import Final

from sqlalchemy import Connection, delete

from im_repo.schema import ENTRY_ACCOUNT, OPERATION

KEPT_MS: Final = 14 * 24 * 3_600_000
"""Operation ids older than this are refused before they come here (TOO_OLD)."""


def forget_operations(connection: Connection, now: int) -> int:
    """Delete operations and account requests of over 14 days ago; returns how many."""
    operations = connection.execute(delete(OPERATION).where(OPERATION.c.time < now - KEPT_MS))
    entries = connection.execute(delete(ENTRY_ACCOUNT).where(ENTRY_ACCOUNT.c.time < now - KEPT_MS))
    return operations.rowcount + entries.rowcount
