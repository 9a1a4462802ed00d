"""Making the tokens of a session."""

from collections.abc import Callable
from typing import Final

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.errors import ImError
from im_logic.accounts.model import Grant, Installation, RefreshToken, Session, User
from im_logic.accounts.ports import AccountStore, NewSession, Rotation
from im_logic.accounts.standing import refusal
from im_logic.accounts.tokens import SECRET_BYTES, AccessTokens, RefreshSecret, hash_of

_TRIES: Final = 3
# A refresh that came between the read and the rotation must not be taken for reuse.
_RACE_MS: Final = 60_000


class Grants:
    """Issues access and refresh tokens.

    Args:
        store: where sessions lie.
        access_tokens: signs.
        refresh_ttl_s: life of an unused refresh token, in seconds.
        key: seals refresh tokens.
        clock: for the times in tokens.
        random: bytes that nobody can guess.
    """

    def __init__(
        self,
        store: AccountStore,
        access_tokens: AccessTokens,
        *,
        refresh_ttl_s: int,
        key: bytes,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._access_tokens = access_tokens
        self._refresh_ttl_ms = refresh_ttl_s * 1000
        self._key = key
        self._clock = clock
        self._random = random

    def draft(self, installation: Installation) -> tuple[NewSession, bytes]:
        """A session to be opened, and the refresh secret that only its client will know."""
        secret = self._random(SECRET_BYTES)
        return NewSession(installation, hash_of(secret), self.refresh_expire_time()), secret

    def refresh_expire_time(self) -> int:
        """When a refresh token made now expires, milliseconds since the epoch."""
        return self._clock.now_ms() + self._refresh_ttl_ms

    def issue(self, user: User, session: Session, secret: bytes) -> Grant:
        """The tokens of a session whose refresh secret in force is `secret`."""
        refresh = RefreshSecret(session.session_id, session.refresh_counter, secret)
        return Grant(
            user=user,
            session_id=session.session_id,
            access=self._access_tokens.issue(user, session, now_ms=self._clock.now_ms()),
            refresh=RefreshToken(refresh.sealed(self._key), session.refresh_expire_time),
        )

    async def reissue(self, session_id: int) -> Grant:
        """Fresh tokens for a session whose client proved itself otherwise; its refresh token so far is spent.

        The secret is random, not derived: whoever holds the one before shall not get this one.

        Raises:
            ImError: SESSION_REVOKED and the like when the session does not stand; UNAVAILABLE when it is refreshed
                over and over by somebody else.
        """
        for _ in range(_TRIES):
            found = await self._store.find_session(session_id)
            session, user = found or (None, None)
            reason = refusal(session, user, generation=session.generation if session else 0)
            if reason is not None or session is None:
                raise ImError(reason or error_table.SESSION_REVOKED)
            secret = self._random(SECRET_BYTES)
            rotated = await self._store.rotate_refresh(
                session_id,
                presented_hash=session.refresh_hash,
                presented_counter=session.refresh_counter,
                next_hash=hash_of(secret),
                next_expire_time=self.refresh_expire_time(),
                grace_ms=_RACE_MS,
            )
            if rotated.outcome is Rotation.ROTATED and rotated.session is not None and rotated.user is not None:
                return self.issue(rotated.user, rotated.session, secret)
        raise ImError(error_table.UNAVAILABLE, "the session is being refreshed", retry_after_ms=500)
