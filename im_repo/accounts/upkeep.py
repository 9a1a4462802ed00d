"""What nobody asks for and time makes due: idle guests go, and what no retry can ask for is forgotten."""

import asyncio
from typing import Final

from sqlalchemy import Connection

from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.sql.abstract import Database
from im_infra.sql.expressions import read_now_ms
from im_repo.accounts.expire_guests import expire_guests
from im_repo.accounts.revocations import forget_revocations
from im_repo.operations.forget import forget_operations

_LOG: Final = logs.get(__name__)

EVERY_S: Final = 3_600.0
_DAY_MS: Final = 24 * 3_600_000


class Upkeep:
    """Runs hourly; several repo processes may do so at once, each finds less to do.

    Args:
        database: what is kept up.
        guest_idle_days: guests unseen for so many days are shut out; 0: never.
    """

    def __init__(self, database: Database, *, guest_idle_days: int = 30) -> None:
        self._database = database
        self._guest_idle_ms = guest_idle_days * _DAY_MS

    async def run(self) -> None:
        """Keep up until cancelled; a database that is away is tried again in an hour."""
        while True:
            try:
                await self.once()
            except ImError as error:
                _LOG.warning("upkeep failed", reason=error.reason.name, text=error.message)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> None:
        """Do all that is due. Cancelling loses nothing: what is left is due again.

        Raises:
            ImError: as `Database.write` does.
        """
        guests = 0
        while self._guest_idle_ms and (expired := await self._database.write(self._expire)):
            guests += len(expired)
        forgotten = await self._database.write(_forget)
        if guests or forgotten:
            _LOG.info("upkeep done", expired_guests=guests, forgotten_rows=forgotten)

    def _expire(self, connection: Connection) -> list[int]:
        return expire_guests(connection, idle_ms=self._guest_idle_ms, now=read_now_ms(connection))


def _forget(connection: Connection) -> int:
    now = read_now_ms(connection)
    return forget_operations(connection, now) + forget_revocations(connection, now=now)
