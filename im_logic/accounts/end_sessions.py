"""Ending sessions: first it is committed, then the live sockets are told."""

from im_infra import error_table
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_logic.accounts.model import Caller, Session
from im_logic.accounts.ports import AccountStore, LiveSockets


class EndSessions:
    """Logs out, and lists and ends the other sessions of an account."""

    def __init__(self, store: AccountStore, sockets: LiveSockets) -> None:
        self._store = store
        self._sockets = sockets

    async def logout(self, caller: Caller, *, everywhere: bool) -> None:
        """End the calling session, or all of the account. Idempotent.

        Raises:
            ImError: UNAVAILABLE.
        """
        await self._end(caller.user_id, [] if everywhere else [caller.session_id])

    async def revoke(self, caller: Caller, session_id: int) -> None:
        """End another session of the caller.

        Raises:
            ImError: FIELD_INVALID for the calling session, DEVICE_NOT_FOUND, UNAVAILABLE.
        """
        if session_id <= 0 or session_id == caller.session_id:
            raise ImError(error_table.FIELD_INVALID, "session_id: another session of yours; log out to end this one")
        if not await self._end(caller.user_id, [session_id]):
            raise ImError(error_table.DEVICE_NOT_FOUND)

    async def list_devices(self, caller: Caller) -> list[Session]:
        """The caller's sessions, newest first.

        Raises:
            ImError: UNAVAILABLE.
        """
        return await self._store.list_sessions(caller.user_id)

    async def _end(self, user_id: int, session_ids: list[int]) -> list[Session]:
        ended = await self._store.revoke_sessions(user_id, session_ids, close_code=CloseCode.SESSION_REVOKED)
        await self._sockets.close(user_id, [session.session_id for session in ended], CloseCode.SESSION_REVOKED)
        return ended
