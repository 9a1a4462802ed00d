"""Revocations: how gateways learn which tokens are dead."""

from typing import Final

from sqlalchemy import Connection, delete, select

from im_proto.repo.v1.account_pb2 import RevocationRow
from im_repo.schema import REVOCATION

KEPT_MS: Final = 24 * 3_600_000
"""Gateways ask each second, and check every session anew after a gap; no access token lives this long."""


def list_revocations(connection: Connection, *, since_time: int) -> list[RevocationRow]:
    """Revocations at or after `since_time`, in no promised order.

    A transaction tells its time before it commits, so callers ask again for the last seconds.
    """
    rows = connection.execute(
        select(
            REVOCATION.c.session_id, REVOCATION.c.generation, REVOCATION.c.close_code, REVOCATION.c.time
        ).where(REVOCATION.c.time >= since_time)
    )  # fmt: skip
    return [
        RevocationRow(session_id=row.session_id, generation=row.generation, close_code=row.close_code, time=row.time)
        for row in rows
    ]


def forget_revocations(connection: Connection, *, now: int) -> int:
    """Delete revocations of over a day ago; returns how many."""
    return connection.execute(delete(REVOCATION).where(REVOCATION.c.time < now - KEPT_MS)).rowcount
