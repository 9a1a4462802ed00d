"""Accounts, changed beside the running cluster."""

import secrets as random_source
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from im_cli.admin.on_database import on_database, settings_of
from im_cli.exit_code import CommandError, ExitCode
from im_cli.place import Place
from im_infra.clock import SystemClock
from im_infra.discovery.open_discovery import open_discovery
from im_infra.discovery.settings import DiscoverySettings
from im_infra.ids.snowflake import Snowflake
from im_infra.ids.worker_lease import WorkerLeaseKeeper
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database
from im_infra.sql.expressions import read_now_ms
from im_logic.accounts.passwords import Argon2Passwords
from im_logic.accounts.rules import checked_handle, checked_password
from im_logic.settings import PasswordSettings
from im_proto.repo.v1.account_pb2 import SessionRow, UserRow
from im_proto.v1.account_pb2 import UserKind
from im_repo.accounts import change_user, find_users
from im_repo.accounts.create_user import NewUser, create_user
from im_repo.accounts.invites import create_invite
from im_repo.id_floor import read_id_floor

INVITE_BYTES: Final = 12
DAY_MS: Final = 86_400_000


def create(place: Place, handle: str, *, name: str, kind: int, password: str) -> UserRow:
    """Make an account without a session.

    Raises:
        CommandError: REFUSED, with the reason.
    """
    known, text = checked_handle(handle.removeprefix("@")), checked_password(password)
    settings = settings_of(place)

    async def work(database: Database) -> UserRow:
        row = UserRow(handle=known, display_name=name or known, kind=kind, password_hash=await _hash(text))
        new = NewUser(user=row, session=SessionRow(), user_id=await _new_id(settings.discovery, database), session_id=0)
        return await database.write(lambda connection: create_user(connection, new, now=read_now_ms(connection)).user)

    return on_database(place, work)


def set_password(place: Place, handle: str, password: str) -> None:
    """Give an account another password; raises as `create`."""
    text = checked_password(password)

    async def work(database: Database) -> None:
        hashed = await _hash(text)
        await database.write(
            lambda connection: change_user.set_password_hash(
                connection, _found(connection, handle), hashed, now=read_now_ms(connection)
            )
        )

    on_database(place, work)


def disable(place: Place, handle: str) -> None:
    """Shut an account out; raises as `create`."""
    _change(place, handle, lambda connection, user_id, now: change_user.disable_user(connection, user_id, now=now))


def enable(place: Place, handle: str) -> None:
    """Let an account in again; raises as `create`."""
    _change(place, handle, lambda connection, user_id, now: change_user.enable_user(connection, user_id, now=now))


def grant(place: Place, handle: str, kind: int) -> None:
    """Make an account another kind; raises as `create`."""
    _change(place, handle, lambda connection, user_id, now: change_user.set_kind(connection, user_id, kind, now=now))


def list_users(place: Place, *, prefix: str, limit: int) -> list[UserRow]:
    """Accounts by id."""

    async def work(database: Database) -> list[UserRow]:
        return await database.read(
            lambda connection: find_users.list_users(connection, handle_prefix=prefix.lower(), limit=limit)
        )

    return on_database(place, work)


def kind_name(kind: int) -> str:
    """A kind as people write it."""
    return UserKind.Name(UserKind.ValueType(kind)).removeprefix("USER_KIND_").lower()


def invite(place: Place, *, uses: int, days: int) -> str:
    """Make an invite code; 0 days: for ever."""
    code = random_source.token_urlsafe(INVITE_BYTES)

    def unit(connection: Connection) -> None:
        now = read_now_ms(connection)
        create_invite(connection, code, uses=uses, expire_time=now + days * DAY_MS if days else 0, now=now)

    on_database(place, lambda database: database.write(unit))
    return code


def _change(place: Place, handle: str, change: Callable[[Connection, int, int], object]) -> None:
    def unit(connection: Connection) -> None:
        change(connection, _found(connection, handle), read_now_ms(connection))

    on_database(place, lambda database: database.write(unit))


def _found(connection: Connection, handle: str) -> int:
    user = find_users.find_user_by_handle(connection, handle.removeprefix("@"))
    if user is None:
        raise CommandError(
            f"there is no account @{handle.removeprefix('@')}",
            code=ExitCode.REFUSED,
            advice="`im user list` names them",
        )
    return user.user_id


async def _new_id(settings: DiscoverySettings, database: Database) -> int:
    """An id of a worker of our own: the running cluster has others."""
    clock = SystemClock()
    async with open_discovery(settings, database=database, clock=clock, metrics=Metrics()) as discovery:
        lease = WorkerLeaseKeeper(discovery, clock)
        await lease.acquire(above=await database.read(read_id_floor))
        return Snowflake(lease, clock).next_id()


async def _hash(text: str) -> str:
    with Argon2Passwords(PasswordSettings(), Metrics(), random=random_source.token_bytes) as passwords:
        return await passwords.hash(text)
