"""The words of this room."""

from dataclasses import dataclass, field
from enum import IntEnum


class UserKind(IntEnum):
    """Kinds of accounts, numbered as in im.v1.UserKind."""

    GUEST = 1
    REGISTERED = 2
    BOT = 3
    ADMIN = 4


class DeviceClass(IntEnum):
    """Where a client runs, numbered as in im.v1.DeviceClass."""

    PHONE = 1
    TABLET = 2
    DESKTOP = 3
    WEB = 4
    BOT = 5

    @classmethod
    def known(cls, number: int) -> "DeviceClass":
        """The class of that number; what is not said, or is newer than this server, counts as a desktop program."""
        return cls(number) if number in cls._value2member_map_ else cls.DESKTOP


@dataclass(frozen=True, slots=True)
class Installation:
    """A client on a device, checked."""

    device_id: str
    device_class: DeviceClass
    device_name: str


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    user_id: int
    handle: str
    """Lower case; empty for guests."""
    display_name: str
    kind: int
    """A number of `UserKind`, or of a newer server's."""
    disabled: bool = False
    password_hash: str = field(default="", repr=False)
    """A PHC string; empty: none, or not told."""


@dataclass(frozen=True, slots=True)
class Session:
    """One login of one device."""

    session_id: int
    user_id: int
    installation: Installation
    generation: int
    """Raised by kick and password change: tokens of a lower one are dead."""
    refresh_hash: bytes = field(repr=False)
    refresh_counter: int
    refresh_expire_time: int
    created_time: int
    seen_time: int
    revoked: bool = False
    displaced: bool = False
    """Another device of its class took its place."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """Tokens and sockets of a session up to `generation` are dead."""

    session_id: int
    generation: int
    close_code: int
    time: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: checked by the gateway."""

    user_id: int
    session_id: int
    kind: int


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed access token."""

    text: str = field(repr=False)
    expire_time: int
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token."""

    text: str = field(repr=False)
    expire_time: int
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What every way in gives."""

    user: User
    session_id: int
    access: AccessToken
    refresh: RefreshToken
