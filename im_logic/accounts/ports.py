"""What accounts need of the world around them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from im_infra.error_table import CloseCode
from im_logic.accounts.model import Installation, Revocation, Session, User


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account to be made."""

    handle: str
    display_name: str
    kind: int
    password_hash: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be opened; its ids are given by the store."""

    installation: Installation
    refresh_hash: bytes = field(repr=False)
    refresh_expire_time: int


@dataclass(frozen=True, slots=True)
class Entered:
    """An account and its new session."""

    user: User
    session: Session
    duplicate: bool
    """The account had been made by an earlier request of the same operation."""


@dataclass(frozen=True, slots=True)
class UserChange:
    """What changes of an account; empty and 0 mean unchanged."""

    handle: str = ""
    display_name: str = ""
    kind: int = 0
    password_hash: str = field(default="", repr=False)


class Rotation(Enum):
    """How a rotation ended."""

    ROTATED = 1
    REPEATED = 2
    """The predecessor came again in time; the successor in force is unused, and the one asked for."""
    REUSED = 3
    """The session is ended now."""
    UNKNOWN = 4
    """Never issued, expired, ended, or replaced by one that was not derived from it. Nothing happened."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """A rotation's outcome; session and user are None where there are none."""

    outcome: Rotation
    session: Session | None
    user: User | None


class AccountStore(Protocol):
    """Users and sessions, kept by repo.

    Every method may raise `ImError(UNAVAILABLE)` or `DEADLINE_EXCEEDED`. Cancelling a write leaves it done or not done.
    """

    async def create_user(
        self, user: NewUser, session: NewSession, *, operation_id: bytes, digest: bytes, invite_code: str
    ) -> Entered:
        """Make an account with its first session, once per (device, operation_id).

        Raises:
            ImError: HANDLE_TAKEN, INVITE_INVALID, or CONFLICT when the operation asked for something else.
        """
        ...

    async def find_user(self, handle: str) -> User | None:
        """The account of a handle, with the password's hash."""
        ...

    async def load_user(self, user_id: int) -> User | None:
        """An account, with the password's hash."""
        ...

    async def upgrade_user(
        self, user_id: int, change: UserChange, *, operation_id: bytes, digest: bytes, invite_code: str
    ) -> User:
        """Make a guest a registered account, once per (user, operation_id).

        Raises:
            ImError: HANDLE_TAKEN, INVITE_INVALID, PERMISSION_DENIED when it is no guest, or CONFLICT.
        """
        ...

    async def change_password(self, user_id: int, password_hash: str, *, keep_session_id: int) -> list[Session]:
        """Change it, raise the kept session's generation, end all others and return those."""
        ...

    async def create_session(
        self, user_id: int, session: NewSession, *, class_limit: int
    ) -> tuple[Session, list[Session]]:
        """Open a session; answers it and those that ended or were displaced by it.

        Args:
            user_id: whose.
            session: the session.
            class_limit: live sessions of its class that may stand; the oldest others are displaced. 0: no limit.
        """
        ...

    async def find_session(self, session_id: int) -> tuple[Session, User] | None:
        """A session and its account."""
        ...

    async def list_sessions(self, user_id: int) -> list[Session]:
        """Sessions that were not ended, newest first."""
        ...

    async def rotate_refresh(
        self,
        session_id: int,
        *,
        presented_hash: bytes,
        presented_counter: int,
        next_hash: bytes,
        next_expire_time: int,
        grace_ms: int,
    ) -> Rotated:
        """Put the next refresh secret in force where the presented one is; reuse of an older one ends the session."""
        ...

    async def revoke_sessions(
        self, user_id: int, session_ids: Sequence[int], *, close_code: CloseCode
    ) -> list[Session]:
        """End sessions of the user (empty: all) and return those that stood."""
        ...

    async def displace(self, session_ids: Sequence[int]) -> None:
        """Mark sessions displaced, with a new generation; those marked already stay as they are."""
        ...

    async def restore(self, session_id: int) -> Session | None:
        """Lift the mark."""
        ...

    async def list_revocations(self, since_time: int) -> tuple[list[Revocation], int]:
        """Revocations at or after a moment (0: none), and the database's time now."""
        ...


class PasswordHasher(Protocol):
    """Slow hashes of passwords, off the loop; both methods may raise `ImError(OVERLOADED)`."""

    async def hash(self, password: str) -> str:
        """The string to store."""
        ...

    async def verify(self, password_hash: str, password: str) -> bool:
        """Whether it matches; an empty hash never does, and takes as long."""
        ...


class LiveSockets(Protocol):
    """The connections of sessions, wherever they are."""

    async def close(self, user_id: int, session_ids: Sequence[int], close_code: CloseCode) -> None:
        """Tell the gateways to close all connections of these sessions.

        Call it after the end of the sessions is committed: a connection that opens meanwhile either is seen here or
        sees the end itself. Best effort, and it raises nothing: gateways read revocations each second besides.
        """
        ...
