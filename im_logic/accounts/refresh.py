"""The next pair of tokens."""

from typing import Final

from im_infra import error_table
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_infra.observability import logs
from im_logic.accounts.grants import Grants
from im_logic.accounts.model import Grant
from im_logic.accounts.ports import AccountStore, LiveSockets, Rotation
from im_logic.accounts.standing import refusal
from im_logic.accounts.tokens import RefreshSecret

_LOG: Final = logs.get(__name__)


class Refresh:
    """Rotates refresh tokens.

    Args:
        store: where they lie.
        grants: issues the next pair.
        sockets: closed when a token came twice.
        key: seals tokens, and derives the next secret from the one presented.
        grace_s: how long the one before answers the same successor, in seconds.
    """

    def __init__(self, store: AccountStore, grants: Grants, sockets: LiveSockets, *, key: bytes, grace_s: int) -> None:
        self._store = store
        self._grants = grants
        self._sockets = sockets
        self._key = key
        self._grace_ms = grace_s * 1000

    async def refresh(self, token: str) -> Grant:
        """Rotate `token`. The same again within the grace answers the same next one; an older one ends the session.

        A displaced session is refreshed too: its client needs a token of the new generation to ask for its place back.

        Raises:
            ImError: UNAUTHENTICATED, REFRESH_REUSED, ACCOUNT_DISABLED, UNAVAILABLE.
        """
        presented = RefreshSecret.unseal(token, self._key)
        following = presented.successor(self._key)
        rotated = await self._store.rotate_refresh(
            presented.session_id,
            presented_hash=presented.hash,
            presented_counter=presented.counter,
            next_hash=following.hash,
            next_expire_time=self._grants.refresh_expire_time(),
            grace_ms=self._grace_ms,
        )
        session, user = rotated.session, rotated.user
        if rotated.outcome is Rotation.UNKNOWN or session is None or user is None:
            raise ImError(error_table.UNAUTHENTICATED, "the refresh token is unknown or expired")
        if rotated.outcome is Rotation.REUSED:
            _LOG.warning("refresh token reused, session ended", user_id=user.user_id, session_id=session.session_id)
            await self._sockets.close(session.user_id, [session.session_id], CloseCode.SESSION_REVOKED)
            raise ImError(error_table.REFRESH_REUSED)
        reason = refusal(session, user, generation=session.generation, take_over=True)
        if reason is not None:
            raise ImError(reason)
        return self._grants.issue(user, session, following.secret)
