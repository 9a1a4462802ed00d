"""Verifying access tokens: JWT, HS256, the key named by `kid`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
from pydantic import SecretStr

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.logic.v1.stream_pb2 import Claims

_ALGORITHM: Final = "HS256"
"""Fixed: the token does not choose how it is verified."""
_MAX_TOKEN_BYTES: Final = 2048


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says."""

    user_id: int
    session_id: int
    generation: int
    user_kind: int
    device_id: str
    device_class: int
    expire_time: int
    """Milliseconds since the epoch."""

    def to_proto(self) -> Claims:
        """The same for logic."""
        return Claims(
            user_id=self.user_id,
            session_id=self.session_id,
            generation=self.generation,
            user_kind=self.user_kind,
            device_id=self.device_id,
            device_class=self.device_class,
            expire_time=self.expire_time,
        )


class AccessTokenVerifier:
    """Verifies access tokens.

    Args:
        keys: by kid; during a rotation the old one stays until its last token has expired.
        leeway_s: seconds two nodes' clocks may differ.
        now_ms: wall time.
    """

    def __init__(self, keys: Mapping[str, SecretStr], *, leeway_s: float, now_ms: Callable[[], int]) -> None:
        self._keys = keys
        self._leeway_ms = int(leeway_s * 1000)
        self._now_ms = now_ms

    def verify(self, token: str) -> AccessClaims:
        """The claims of a token.

        Raises:
            ImError: UNAUTHENTICATED for anything that is not a token of ours, TOKEN_EXPIRED for one that was.
        """
        if len(token) > _MAX_TOKEN_BYTES:
            raise ImError(error_table.UNAUTHENTICATED)
        try:
            claims = _to_claims(self._decode(token))
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, RecursionError) as error:
            raise ImError(error_table.UNAUTHENTICATED) from error
        if claims.expire_time + self._leeway_ms <= self._now_ms():
            raise ImError(error_table.TOKEN_EXPIRED)
        return claims

    def _decode(self, token: str) -> dict[str, Any]:
        kid = jwt.get_unverified_header(token).get("kid")
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise ImError(error_table.UNAUTHENTICATED)
        # The expiry is checked by `verify`, with the clock that was handed in.
        options: Any = {"require": ["sub", "sid", "exp", "iat"], "verify_exp": False, "verify_iat": False}
        return jwt.decode(token, key.get_secret_value(), algorithms=[_ALGORITHM], options=options)


def _to_claims(payload: Mapping[str, Any]) -> AccessClaims:
    return AccessClaims(
        user_id=int(payload["sub"]),
        session_id=int(payload["sid"]),
        generation=int(payload["gen"]),
        user_kind=int(payload["knd"]),
        device_id=str(payload["dev"]),
        device_class=int(payload["cls"]),
        expire_time=int(payload["exp"] * 1000),
    )
