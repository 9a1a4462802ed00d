"""A new password ends every other session."""

from im_infra import error_table
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_logic.accounts import rules
from im_logic.accounts.grants import Grants
from im_logic.accounts.model import Caller, Grant
from im_logic.accounts.password_tries import PasswordTries
from im_logic.accounts.ports import AccountStore, LiveSockets, PasswordHasher


class ChangePassword:
    """Changes the caller's password."""

    def __init__(
        self,
        store: AccountStore,
        passwords: PasswordHasher,
        tries: PasswordTries,
        grants: Grants,
        sockets: LiveSockets,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._tries = tries
        self._grants = grants
        self._sockets = sockets

    async def change(self, caller: Caller, *, current: str, new: str) -> Grant:
        """Change it, end the other sessions, and answer fresh tokens: all tokens before are dead.

        Raises:
            ImError: PASSWORD_WEAK, CREDENTIALS_WRONG, PERMISSION_DENIED for accounts without a password,
                RATE_LIMITED, OVERLOADED, UNAVAILABLE.
        """
        password = rules.checked_password(new)
        user = await self._store.load_user(caller.user_id)
        if user is None or not user.password_hash:
            raise ImError(error_table.PERMISSION_DENIED, "this account has no password")
        await self._tries.spend(user.handle)
        possible = rules.could_be_password(current)
        candidate = rules.prepared_password(current) if possible else ""
        if not await self._passwords.verify(user.password_hash, candidate):
            raise ImError(error_table.CREDENTIALS_WRONG, "the current password is wrong")
        password_hash = await self._passwords.hash(password)
        ended = await self._store.change_password(user.user_id, password_hash, keep_session_id=caller.session_id)
        await self._sockets.close(user.user_id, [old.session_id for old in ended], CloseCode.SESSION_REVOKED)
        return await self._grants.reissue(caller.session_id)
