"""A guest becomes a registered account: same id, same history."""

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.errors import ImError
from im_logic.accounts import rules
from im_logic.accounts.enter import digest_of
from im_logic.accounts.grants import Grants
from im_logic.accounts.model import Caller, Grant, UserKind
from im_logic.accounts.ports import AccountStore, PasswordHasher, UserChange
from im_logic.accounts.rules import Registration


class UpgradeGuest:
    """Gives the calling guest a handle and a password."""

    def __init__(
        self,
        store: AccountStore,
        passwords: PasswordHasher,
        grants: Grants,
        *,
        registration: Registration,
        clock: Clock,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._grants = grants
        self._registration = registration
        self._clock = clock

    async def upgrade(
        self, caller: Caller, *, handle: str, password: str, display_name: str, invite_code: str, operation_id: str
    ) -> Grant:
        """Upgrade the caller; the same operation again answers new tokens.

        Raises:
            ImError: PERMISSION_DENIED when the caller is no guest, and whatever a registration raises.
        """
        invite = rules.spent_invite(self._registration, invite_code)
        handle = rules.checked_handle(handle)
        name = rules.checked_display_name(display_name)
        password = rules.checked_password(password)
        operation = rules.checked_operation_id(operation_id, now_ms=self._clock.now_ms())
        if caller.kind != UserKind.GUEST and not operation:
            raise ImError(error_table.PERMISSION_DENIED, "only guests are upgraded")
        password_hash = await self._passwords.hash(password)
        change = UserChange(handle, name, UserKind.REGISTERED, password_hash)
        await self._store.upgrade_user(
            caller.user_id,
            change,
            operation_id=operation,
            digest=digest_of("upgrade", handle, name),
            invite_code=invite,
        )
        return await self._grants.reissue(caller.session_id)
