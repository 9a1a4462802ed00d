"""Which credential opens the next connection, and when the access token is to be renewed."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

RESUME_TTL_MS: Final = 9 * 60_000
"""A resume token lives 10 minutes; in the last one it is not worth the round trip."""
_MARGIN_MS: Final = 120_000
"""An access token is renewed so long before it expires, or at two thirds of a short life."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and its life, milliseconds since the epoch by the server's clock."""

    token: str
    expire_time: int
    """0: unknown; the server will say when it is over."""
    issued_time: int = 0

    def renew_time(self) -> int:
        """When to ask for the next one."""
        life = self.expire_time - self.issued_time
        return self.expire_time - min(_MARGIN_MS, max(life // 3, 0))

    def __repr__(self) -> str:
        return f"AccessToken(expire_time={self.expire_time})"


class Way(Enum):
    """How to get in."""

    RESUME = auto()
    ACCESS = auto()
    REFRESH = auto()
    """First ask for a new access token."""
    NONE = auto()


class Credentials:
    """What a session can prove itself with."""

    __slots__ = ("_resume_time", "_resume_token", "access", "renewable")

    def __init__(self, access: AccessToken | None, *, renewable: bool) -> None:
        self.access = access
        self.renewable = renewable
        """Somebody has a refresh token."""
        self._resume_token = ""
        self._resume_time = 0

    def keep_resume(self, token: str, server_ms: int) -> None:
        """A greeting brought a resume token."""
        self._resume_token = token
        self._resume_time = server_ms

    def take_resume(self) -> str:
        """The resume token, which works once."""
        token, self._resume_token = self._resume_token, ""
        return token

    def way(self, server_ms: int) -> Way:
        """How to get in now."""
        if self._resume_token and server_ms - self._resume_time < RESUME_TTL_MS:
            return Way.RESUME
        if self.access is None:
            return Way.REFRESH if self.renewable else Way.NONE
        if self.access.expire_time and server_ms >= self.access.renew_time() and self.renewable:
            return Way.REFRESH
        return Way.ACCESS

    def renew_time(self) -> int | None:
        """When a live connection should get a new access token; None: never."""
        if not self.renewable or self.access is None or not self.access.expire_time:
            return None
        return self.access.renew_time()
