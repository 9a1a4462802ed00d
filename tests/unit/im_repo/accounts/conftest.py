"""Sessions for the tests of accounts."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from im_proto.repo.v1.account_pb2 import SessionRow
from im_repo.accounts.open_session import OpenedSession, open_session
from im_repo.schema import REVOCATION

EXPIRES = 10**9


class Sessions:
    """Opens sessions of one transaction and tells what was revoked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(
        self,
        session_id: int,
        *,
        user_id: int = 7,
        device_id: str = "",
        device_class: int = 1,
        class_limit: int = 0,
        now: int = 10,
        expires: int = EXPIRES,
    ) -> OpenedSession:
        wanted = SessionRow(
            user_id=user_id,
            device_id=device_id or f"device{session_id}",
            device_class=device_class,
            device_name="Phone",
            refresh_hash=session_id.to_bytes(32),
            refresh_expire_time=expires,
        )
        return open_session(self._connection, wanted, session_id=session_id, class_limit=class_limit, now=now)

    def revocations(self) -> list[tuple[int, ...]]:
        """(session, dead generation, close code, time), in the order they were written."""
        of = REVOCATION.c
        statement = select(of.session_id, of.generation, of.close_code, of.time).order_by(of.id)
        return [tuple(row) for row in self._connection.execute(statement)]


@pytest.fixture
def sessions(connection: Connection, seed: Any) -> Sessions:
    """Sessions of the users 7 and 8."""
    seed.user(7, 8)
    return Sessions(connection)
