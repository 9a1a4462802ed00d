"""Invite codes."""

from sqlalchemy import Connection, insert, or_, update

from im_infra import error_table
from im_infra.errors import ImError
from im_repo.schema import INVITE


def create_invite(connection: Connection, code: str, *, uses: int, expire_time: int, now: int) -> None:
    """Store an invite.

    Args:
        connection: inside a write transaction.
        code: random; whoever has it may use it.
        uses: how often, at least once.
        expire_time: milliseconds since the epoch; 0: never.
        now: the database's time, milliseconds since the epoch.

    Raises:
        ImError: FIELD_INVALID: no use, or an expiry that has passed.
    """
    if uses < 1 or 0 < expire_time <= now:
        raise ImError(error_table.FIELD_INVALID, "an invite takes at least one use and an expiry that lies ahead")
    row = {"code": code, "uses_left": uses, "expire_time": expire_time, "created_time": now}
    connection.execute(insert(INVITE), row)


def spend_invite(connection: Connection, code: str, *, now: int) -> None:
    """Use an invite once.

    Raises:
        ImError: INVITE_INVALID: it is unknown, expired or used up.
    """
    spent = connection.execute(
        update(INVITE)
        .where(
            INVITE.c.code == code,
            INVITE.c.uses_left > 0,
            or_(INVITE.c.expire_time == 0, INVITE.c.expire_time > now),
        )
        .values(uses_left=INVITE.c.uses_left - 1)
    )
    if spent.rowcount != 1:
        raise ImError(error_table.INVITE_INVALID)
