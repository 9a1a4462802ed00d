"""One-time tickets: a way into the socket for those who cannot send a token in a frame."""

from collections.abc import Callable
from typing import Final

from im_infra import error_table
from im_infra.cache.abstract import Cache
from im_infra.clock import Clock
from im_infra.errors import ImError
from im_logic.accounts.check_session import CheckSession
from im_logic.accounts.claims import Claims
from im_logic.accounts.model import Caller
from im_logic.accounts.tokens import SECRET_BYTES, decoded, encoded, hash_of

_PREFIX: Final = "t1."


class Tickets:
    """Makes and redeems tickets; the cache holds what each stands for under its hash, until somebody takes it."""

    def __init__(
        self,
        check: CheckSession,
        cache: Cache,
        *,
        ticket_ttl_s: int,
        access_ttl_s: int,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        self._check = check
        self._cache = cache
        self._ticket_ttl_s = ticket_ttl_s
        self._access_ttl_ms = access_ttl_s * 1000
        self._clock = clock
        self._random = random

    async def create(self, caller: Caller) -> tuple[str, int]:
        """A ticket for the caller's session, and when it expires.

        Raises:
            ImError: SESSION_REVOKED, KICKED, ACCOUNT_DISABLED, UNAVAILABLE.
        """
        session, user = await self._check.standing(caller.user_id, caller.session_id, generation=None)
        now = self._clock.now_ms()
        claims = Claims(
            user_id=user.user_id,
            session_id=session.session_id,
            generation=session.generation,
            user_kind=user.kind,
            device_id=session.installation.device_id,
            device_class=int(session.installation.device_class),
            expire_time=now + self._access_ttl_ms,
        )
        secret = self._random(SECRET_BYTES)
        await self._cache.put(_key(secret), claims.packed(), ttl_s=self._ticket_ttl_s)
        return _PREFIX + encoded(secret), now + self._ticket_ttl_s * 1000

    async def redeem(self, ticket: str) -> Claims:
        """What a ticket stands for; it is spent by this, whatever comes after.

        Raises:
            ImError: TICKET_INVALID, UNAVAILABLE.
        """
        secret = decoded(ticket.removeprefix(_PREFIX)) if ticket.startswith(_PREFIX) else None
        if secret is None or len(secret) != SECRET_BYTES:
            raise ImError(error_table.TICKET_INVALID)
        value = await self._cache.take(_key(secret))
        if value is None:
            raise ImError(error_table.TICKET_INVALID)
        return Claims.unpacked(value)


def _key(secret: bytes) -> str:
    return f"ticket:{hash_of(secret).hex()}"
