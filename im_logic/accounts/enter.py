"""The ways in: register, log in, come as a guest."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_logic.accounts import rules
from im_logic.accounts.grants import Grants
from im_logic.accounts.model import Grant, Installation, User, UserKind
from im_logic.accounts.password_tries import PasswordTries
from im_logic.accounts.ports import AccountStore, Entered, LiveSockets, NewUser, PasswordHasher
from im_logic.accounts.rules import Registration

_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may come in."""

    registration: Registration
    guests: bool
    class_limits: Mapping[int, int]
    """Live sessions of a class that an account may have; 0: no limit."""


class Enter:
    """Makes accounts and opens sessions."""

    def __init__(
        self,
        store: AccountStore,
        passwords: PasswordHasher,
        tries: PasswordTries,
        grants: Grants,
        sockets: LiveSockets,
        *,
        policy: Policy,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._tries = tries
        self._grants = grants
        self._sockets = sockets
        self._policy = policy
        self._clock = clock
        self._random = random

    async def register(
        self,
        *,
        handle: str,
        password: str,
        display_name: str,
        invite_code: str,
        installation: Installation,
        operation_id: str,
    ) -> Grant:
        """Make a registered account.

        The same operation of the same installation answers the same account with new tokens, if the password is the
        same again: it is the proof, and is never part of the digest that is stored.

        Raises:
            ImError: REGISTRATION_CLOSED, INVITE_INVALID, FIELD_INVALID, PASSWORD_WEAK, HANDLE_TAKEN, CONFLICT,
                OVERLOADED, UNAVAILABLE.
        """
        invite = rules.spent_invite(self._policy.registration, invite_code)
        handle = rules.checked_handle(handle)
        name = rules.checked_display_name(display_name) or handle
        password = rules.checked_password(password)
        operation = rules.checked_operation_id(operation_id, now_ms=self._clock.now_ms())
        password_hash = await self._passwords.hash(password)
        user = NewUser(handle, name, UserKind.REGISTERED, password_hash)
        draft, secret = self._grants.draft(installation)
        entered = await self._store.create_user(
            user, draft, operation_id=operation, digest=digest_of("register", handle, name), invite_code=invite
        )
        if entered.duplicate:
            await self._prove_again(entered, password)
        return self._grants.issue(entered.user, entered.session, secret)

    async def create_guest(self, *, display_name: str, installation: Installation, operation_id: str) -> Grant:
        """Make a guest; the same operation of the same installation answers the same one with new tokens.

        Raises:
            ImError: REGISTRATION_CLOSED where guests are off, FIELD_INVALID, CONFLICT, UNAVAILABLE.
        """
        if not self._policy.guests:
            raise ImError(error_table.REGISTRATION_CLOSED, "this server takes no guests")
        asked = rules.checked_display_name(display_name)
        operation = rules.checked_operation_id(operation_id, now_ms=self._clock.now_ms())
        name = asked or f"Guest {int.from_bytes(self._random(4)) % 10_000:04}"
        draft, secret = self._grants.draft(installation)
        entered = await self._store.create_user(
            NewUser("", name, UserKind.GUEST),
            draft,
            operation_id=operation,
            digest=digest_of("guest", asked),
            invite_code="",
        )
        _refuse_disabled(entered.user)
        return self._grants.issue(entered.user, entered.session, secret)

    async def login(self, *, handle: str, password: str, installation: Installation, take_over: bool) -> Grant:
        """Open a session of a registered account.

        It ends an earlier session of the same device and displaces the oldest others of a full class. A device that
        was itself displaced comes back only with `take_over`: otherwise two programs that log in by themselves would
        displace each other for ever.

        A handle that does not exist costs one hash as well, and counts as a try.

        Raises:
            ImError: CREDENTIALS_WRONG, ACCOUNT_DISABLED, KICKED, RATE_LIMITED, OVERLOADED, UNAVAILABLE.
        """
        known = rules.looked_up_handle(handle)
        possible = known is not None and rules.could_be_password(password)
        await self._tries.spend(known or "")
        user = await self._store.find_user(known) if known is not None and possible else None
        candidate = rules.prepared_password(password) if possible else ""
        right = await self._passwords.verify(user.password_hash if user else "", candidate)
        if user is None or not right:
            raise ImError(error_table.CREDENTIALS_WRONG)
        _refuse_disabled(user)
        if not take_over:
            await self._refuse_displaced(user.user_id, installation.device_id)
        draft, secret = self._grants.draft(installation)
        limit = self._policy.class_limits.get(installation.device_class, 0)
        session, ended = await self._store.create_session(user.user_id, draft, class_limit=limit)
        displaced = [old.session_id for old in ended if old.displaced and not old.revoked]
        replaced = [old.session_id for old in ended if old.revoked]
        await self._sockets.close(user.user_id, displaced, CloseCode.KICKED)
        await self._sockets.close(user.user_id, replaced, CloseCode.REPLACED)
        return self._grants.issue(user, session, secret)

    async def _prove_again(self, entered: Entered, password: str) -> None:
        """Somebody repeats a registration: is it the same person? If not, the session just made ends again."""
        user = await self._store.load_user(entered.user.user_id)
        if user is not None and await self._passwords.verify(user.password_hash, password):
            _refuse_disabled(user)
            return
        session_ids = [entered.session.session_id]
        await self._store.revoke_sessions(entered.user.user_id, session_ids, close_code=CloseCode.SESSION_REVOKED)
        raise ImError(error_table.CONFLICT, "this operation_id made another account")

    async def _refuse_displaced(self, user_id: int, device_id: str) -> None:
        for session in await self._store.list_sessions(user_id):
            if session.displaced and session.installation.device_id == device_id:
                raise ImError(error_table.KICKED)


def _refuse_disabled(user: User) -> None:
    if user.disabled:
        raise ImError(error_table.ACCOUNT_DISABLED)


def digest_of(*fields: str) -> bytes:
    """What an operation asked for, in 16 bytes: a version and the length-prefixed fields. Never a secret among them."""
    digest = hashlib.blake2b(b"\x01", digest_size=_DIGEST_BYTES)
    for field in fields:
        data = field.encode()
        digest.update(len(data).to_bytes(4) + data)
    return digest.digest()
