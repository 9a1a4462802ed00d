"""Access and refresh tokens: their form, and how the next one is made. No I/O; time and randomness come in.

An access token is a JWT (HS256) that gateways check alone. A refresh token is `r1.SESSION.COUNTER.SECRET.SEAL`;
only the hash of its secret is stored. The seal shows that we issued it, when nothing of its secret is kept any more: a
token used long ago ends its session, and a made-up one must not.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, Self

import jwt

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.token_keys import TokenKeys
from im_logic.accounts.model import AccessToken, Session, User

SECRET_BYTES: Final = 32
_SEAL_BYTES: Final = 16
_PREFIX: Final = "r1"
_ALGORITHM: Final = "HS256"
_MAX_ID: Final = 2**63 - 1


class AccessTokens:
    """Signs access tokens.

    Args:
        keys: gateways know all of them, new tokens are signed with the active one.
        ttl_s: life of a token, in seconds.
    """

    def __init__(self, keys: TokenKeys, *, ttl_s: int) -> None:
        self._keys = keys
        self.ttl_ms = ttl_s * 1000

    def issue(self, user: User, session: Session, *, now_ms: int) -> AccessToken:
        """A token of this session's present generation, from now on."""
        issued = now_ms // 1000
        expires = issued + self.ttl_ms // 1000
        claims = {
            "sub": str(user.user_id),
            "sid": str(session.session_id),
            "gen": session.generation,
            "knd": user.kind,
            "dev": session.installation.device_id,
            "cls": int(session.installation.device_class),
            "iat": issued,
            "exp": expires,
        }
        kid = self._keys.active
        text = jwt.encode(claims, self._keys[kid].get_secret_value(), algorithm=_ALGORITHM, headers={"kid": kid})
        return AccessToken(text, expires * 1000)


@dataclass(frozen=True, slots=True)
class RefreshSecret:
    """What a refresh token proves: it knows the secret of a session's nth rotation."""

    session_id: int
    counter: int
    secret: bytes

    def __repr__(self) -> str:
        return f"RefreshSecret(session_id={self.session_id}, counter={self.counter})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a token without its seal.

        Raises:
            ImError: UNAUTHENTICATED when it does not look like one of ours.
        """
        parts = text.split(".")
        if len(parts) == 4 and parts[0] == _PREFIX and parts[1].isdecimal() and parts[2].isdecimal():
            session_id, counter, secret = int(parts[1][:20]), int(parts[2][:20]), decoded(parts[3])
            if session_id <= _MAX_ID and counter <= _MAX_ID and secret is not None and len(secret) == SECRET_BYTES:
                return cls(session_id, counter, secret)
        raise ImError(error_table.UNAUTHENTICATED, "not a refresh token of this server")

    @classmethod
    def unseal(cls, token: str, key: bytes) -> Self:
        """Read a token that was issued.

        Args:
            token: whatever came.
            key: the server's.

        Raises:
            ImError: UNAUTHENTICATED when we did not make it.
        """
        text, _, shown = token.rpartition(".")
        # as bytes: a str is compared only where it is ASCII
        if not hmac.compare_digest(shown.encode(errors="replace"), _seal_of(text, key).encode()):
            raise ImError(error_table.UNAUTHENTICATED, "not a refresh token of this server")
        return cls.parse(text)

    def sealed(self, key: bytes) -> str:
        """The token as the client gets it."""
        return f"{self.text}.{_seal_of(self.text, key)}"

    @property
    def text(self) -> str:
        """The token without its seal."""
        return f"{_PREFIX}.{self.session_id}.{self.counter}.{encoded(self.secret)}"

    @property
    def hash(self) -> bytes:
        """What is stored of it. The secret is 256 random bits, so a fast hash is enough."""
        return hash_of(self.secret)

    def successor(self, key: bytes) -> "RefreshSecret":
        """The next one: the same for the same, so that a repeated request (a lost answer, two tabs) gets it again.

        Args:
            key: the server's; without it nobody who sees one token can tell the next.
        """
        message = b"im refresh 1\0%d\0%d\0%s" % (self.session_id, self.counter, self.secret)
        return RefreshSecret(self.session_id, self.counter + 1, hmac.digest(key, message, "sha256"))


def _seal_of(text: str, key: bytes) -> str:
    return encoded(hmac.digest(key, b"im refresh seal 1\0" + text.encode(errors="replace"), "sha256")[:_SEAL_BYTES])


def hash_of(secret: bytes) -> bytes:
    """BLAKE2b-256."""
    return hashlib.blake2b(secret, digest_size=32).digest()


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes | None:
    """The bytes of base64url without padding; None where it is not."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
