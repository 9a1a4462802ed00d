"""Wiring of the room."""

from collections.abc import Callable

from im_infra.cache.abstract import Cache
from im_infra.clock import Clock
from im_logic.accounts.change_password import ChangePassword
from im_logic.accounts.check_session import CheckSession
from im_logic.accounts.end_sessions import EndSessions
from im_logic.accounts.enter import Enter, Policy
from im_logic.accounts.grants import Grants
from im_logic.accounts.model import DeviceClass
from im_logic.accounts.password_tries import PasswordTries
from im_logic.accounts.ports import AccountStore, LiveSockets, PasswordHasher
from im_logic.accounts.refresh import Refresh
from im_logic.accounts.servicer import Operations
from im_logic.accounts.tickets import Tickets
from im_logic.accounts.tokens import AccessTokens
from im_logic.accounts.upgrade_guest import UpgradeGuest
from im_logic.settings import AccountSettings, DeviceLimits, Secrets


def wire_accounts(
    settings: AccountSettings,
    secrets: Secrets,
    *,
    devices: DeviceLimits,
    store: AccountStore,
    passwords: PasswordHasher,
    sockets: LiveSockets,
    cache: Cache,
    clock: Clock,
    random: Callable[[int], bytes],
) -> Operations:
    """The operations of accounts."""
    access_tokens = AccessTokens(secrets.keys, ttl_s=settings.access_ttl_s)
    refresh_key = secrets.refresh_key.get_secret_value().encode()
    grants = Grants(
        store, access_tokens, refresh_ttl_s=settings.refresh_ttl_s, key=refresh_key, clock=clock, random=random
    )
    tries = PasswordTries(cache, clock, per_minute=settings.password_tries_per_minute)
    policy = Policy(registration=settings.registration, guests=settings.guests, class_limits=class_limits(devices))
    check_session = CheckSession(store)
    return Operations(
        enter=Enter(store, passwords, tries, grants, sockets, policy=policy, clock=clock, random=random),
        upgrade_guest=UpgradeGuest(store, passwords, grants, registration=settings.registration, clock=clock),
        refresh=Refresh(
            store,
            grants,
            sockets,
            key=refresh_key,
            grace_s=settings.refresh_grace_s,
        ),
        change_password=ChangePassword(store, passwords, tries, grants, sockets),
        end_sessions=EndSessions(store, sockets),
        tickets=Tickets(
            check_session,
            cache,
            ticket_ttl_s=settings.ticket_ttl_s,
            access_ttl_s=settings.access_ttl_s,
            clock=clock,
            random=random,
        ),
        check_session=check_session,
    )


def class_limits(devices: DeviceLimits) -> dict[int, int]:
    """Devices of a class that may be logged in, and connected, together; 0: no limit."""
    return {
        DeviceClass.PHONE: devices.phone,
        DeviceClass.TABLET: devices.tablet,
        DeviceClass.DESKTOP: devices.desktop,
        DeviceClass.WEB: devices.web,
        DeviceClass.BOT: devices.bot,
    }
