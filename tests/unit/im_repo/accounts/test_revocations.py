"""Revocations."""

from typing import Any

from sqlalchemy import Connection

from im_infra.error_table import CloseCode
from im_proto.repo.v1.account_pb2 import RevocationRow
from im_repo.accounts.end_sessions import revoke_sessions
from im_repo.accounts.revocations import KEPT_MS, forget_revocations, list_revocations


def test_revocations_at_or_after_a_moment_are_listed(connection: Connection, sessions: Any) -> None:
    for session_id in (1, 2, 3):
        sessions.open(session_id)
        revoke_sessions(connection, 7, now=session_id * 10)
    rows = list_revocations(connection, since_time=20)
    assert sorted(row.session_id for row in rows) == [2, 3]
    assert RevocationRow(session_id=2, generation=1, close_code=CloseCode.SESSION_REVOKED, time=20) in rows


def test_revocations_are_kept_for_a_day(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    revoke_sessions(connection, 7, now=20)
    assert forget_revocations(connection, now=20 + KEPT_MS) == 0
    assert forget_revocations(connection, now=21 + KEPT_MS) == 1
