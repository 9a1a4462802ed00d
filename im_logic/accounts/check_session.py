"""Asking whether a session stands, and which ended."""

from im_infra import error_table
from im_infra.errors import ImError
from im_logic.accounts.model import Revocation, Session, User
from im_logic.accounts.ports import AccountStore
from im_logic.accounts.standing import refusal


class CheckSession:
    """Reads sessions as they are now."""

    def __init__(self, store: AccountStore) -> None:
        self._store = store

    async def standing(self, user_id: int, session_id: int, *, generation: int | None) -> tuple[Session, User]:
        """The session and its account, if it stands.

        Args:
            user_id: whose it must be.
            session_id: which.
            generation: what the token says; None: not asked.

        Raises:
            ImError: SESSION_REVOKED, KICKED, ACCOUNT_DISABLED, TOKEN_EXPIRED for an older generation, UNAVAILABLE.
        """
        found = await self._store.find_session(session_id)
        if found is None or found[0].user_id != user_id:
            raise ImError(error_table.SESSION_REVOKED)
        session, user = found
        reason = refusal(session, user, generation=session.generation if generation is None else generation)
        if reason is not None:
            raise ImError(reason)
        return session, user

    async def list_revocations(self, since_time: int) -> tuple[list[Revocation], int]:
        """Revocations at or after a moment (0: none), and the database's time now."""
        return await self._store.list_revocations(since_time)
