"""Resume tokens: the next connection of the same instance without an access token, and without the kick policy.

A token is `s1.SESSION.CHAIN.COUNTER.SECRET`. A chain begins with each full Hello, so that the tabs of one session do
not spend each other's. The cache holds, for each chain, what it stands for, the counter and the hash of the secret in
force; a redemption replaces it by compare-and-set, so each token works once.
"""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from im_infra import error_table
from im_infra.cache.abstract import Cache
from im_infra.errors import ImError
from im_infra.observability import logs
from im_logic.accounts.claims import Claims
from im_logic.accounts.tokens import SECRET_BYTES, decoded, encoded, hash_of

_LOG: Final = logs.get(__name__)
_PREFIX: Final = "s1"
_CHAIN_BYTES: Final = 9
_MAX_TEXT: Final = 200


class _Presented(NamedTuple):
    session_id: int
    chain: str
    counter: int
    secret: bytes

    @classmethod
    def parse(cls, text: str) -> Self | None:
        parts = text.split(".")
        if len(text) > _MAX_TEXT or len(parts) != 5 or parts[0] != _PREFIX:
            return None
        secret = decoded(parts[4])
        if not (parts[1].isdecimal() and parts[3].isdecimal()) or not decoded(parts[2]) or not secret:
            return None
        return cls(int(parts[1]), parts[2], int(parts[3]), secret)


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a token stood for, and how its chain goes on."""

    claims: Claims
    instance_id: str
    next_token: str


class ResumeTokens:
    """Makes and redeems resume tokens.

    Args:
        cache: where they lie.
        ttl_s: life of a token, in seconds.
        random: bytes that nobody can guess.
    """

    def __init__(self, cache: Cache, *, ttl_s: int, random: Callable[[int], bytes]) -> None:
        self._cache = cache
        self._ttl_s = ttl_s
        self._random = random

    async def begin(self, claims: Claims, *, instance_id: str) -> str:
        """The first token of a chain; raises ImError(UNAVAILABLE)."""
        drawn = self._random(_CHAIN_BYTES + SECRET_BYTES)  # at once: the kernel's source is a slow call
        chain, secret = encoded(drawn[:_CHAIN_BYTES]), drawn[_CHAIN_BYTES:]
        value = _packed(claims, instance_id, 1, secret)
        await self._cache.put(_key(claims.session_id, chain), value, ttl_s=self._ttl_s)
        return _text(claims.session_id, chain, 1, secret)

    async def redeem(self, token: str) -> Resumed:
        """Spend a token. Safe to cancel: spent or not.

        Raises:
            ImError: RESUME_INVALID: unknown, expired, used, or the cache is away; an access token helps in every case.
        """
        presented = _Presented.parse(token)
        if presented is None:
            raise ImError(error_table.RESUME_INVALID)
        try:
            resumed = await self._redeem(presented)
        except ImError as error:
            _LOG.warning("resume state unreachable", reason=error.reason.name)
            raise ImError(error_table.RESUME_INVALID, "the state of the token cannot be read now") from error
        if resumed is None:
            raise ImError(error_table.RESUME_INVALID)
        return resumed

    async def _redeem(self, presented: _Presented) -> Resumed | None:
        key = _key(presented.session_id, presented.chain)
        (value,) = await self._cache.get_many([key])
        if value is None:
            return None
        state = json.loads(value)
        good_secret = hmac.compare_digest(bytes.fromhex(state["secret_hash"]), hash_of(presented.secret))
        if state["counter"] != presented.counter or not good_secret:
            return None
        claims, instance_id = Claims(**state["claims"]), str(state["instance_id"])
        counter, secret = presented.counter + 1, self._random(SECRET_BYTES)
        following = _packed(claims, instance_id, counter, secret)
        if not await self._cache.compare_and_set(key, value, following, ttl_s=self._ttl_s):
            return None
        return Resumed(claims, instance_id, _text(claims.session_id, presented.chain, counter, secret))


def _key(session_id: int, chain: str) -> str:
    return f"resume:{session_id}:{chain}"


def _text(session_id: int, chain: str, counter: int, secret: bytes) -> str:
    return f"{_PREFIX}.{session_id}.{chain}.{counter}.{encoded(secret)}"


def _packed(claims: Claims, instance_id: str, counter: int, secret: bytes) -> bytes:
    state = {
        "claims": json.loads(claims.packed()),
        "instance_id": instance_id,
        "counter": counter,
        "secret_hash": hash_of(secret).hex(),
    }
    return json.dumps(state, separators=(",", ":")).encode()
