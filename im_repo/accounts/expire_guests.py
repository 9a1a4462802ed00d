"""Shut out guests who have not been seen for long."""

from typing import Final

from sqlalchemy import Connection, select

from im_proto.v1.account_pb2 import USER_KIND_GUEST
from im_repo.accounts.change_user import disable_user
from im_repo.schema import USER

GUESTS_A_TRANSACTION: Final = 50


def expire_guests(connection: Connection, *, idle_ms: int, now: int) -> list[int]:
    """Disable guests who were last seen over `idle_ms` ago, and return their ids: at most 50 a call.

    Their rows stay, since what they wrote names them. Call again while there are any.
    """
    idle = connection.scalars(
        select(USER.c.user_id)
        .where(USER.c.kind == USER_KIND_GUEST, USER.c.seen_time < now - idle_ms, USER.c.disabled_time == 0)
        .order_by(USER.c.user_id)
        .limit(GUESTS_A_TRANSACTION)
    ).all()
    for user_id in idle:
        disable_user(connection, user_id, now=now)
    return list(idle)
