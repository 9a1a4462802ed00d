"""`im user`: accounts, on an operator's word, whether the cluster runs or not."""

import secrets as random_source
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from im_cli.exit_code import CommandError, ExitCode
from im_cli.on_database import on_database
from im_cli.up import DataDirOption
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

APP = typer.Typer(help="Accounts, on an operator's word.", no_args_is_help=True)
T = TypeVar("T")
INVITE_BYTES: Final = 12
DAY_MS: Final = 86_400_000

HandleArgument = Annotated[str, typer.Argument(help="The account's handle, with or without @.")]
PasswordOption = Annotated[
    str | None, typer.Option("--password", help="The password; asked for unless given. 8 to 256 characters.")
]
_KINDS: Final = {
    "registered": UserKind.USER_KIND_REGISTERED,
    "bot": UserKind.USER_KIND_BOT,
    "admin": UserKind.USER_KIND_ADMIN,
}


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(APP, name="user")


@APP.command("create")
def create(
    handle: HandleArgument,
    *,
    name: Annotated[str, typer.Option(help="The name shown to people; the handle unless given.")] = "",
    kind: Annotated[str, typer.Option(help="`registered`, `bot` or `admin`.")] = "registered",
    password: PasswordOption = None,
    data_dir: DataDirOption = Path("data"),
) -> None:
    """Make an account, whatever the registration mode."""
    number, known = _kind(kind), checked_handle(handle.removeprefix("@"))
    text = checked_password(_asked(password))

    async def work(database: Database) -> UserRow:
        row = UserRow(handle=known, display_name=name or known, kind=number, password_hash=await _hash(text))
        (user_id,) = await _new_ids(database)
        new = NewUser(user=row, session=SessionRow(), user_id=user_id, session_id=0)
        return await database.write(lambda connection: create_user(connection, new, now=read_now_ms(connection)).user)

    user = on_database(data_dir, work)
    _say(f"@{user.handle} is made (id {user.user_id}, {kind})")


@APP.command("password")
def password(
    handle: HandleArgument, *, password: PasswordOption = None, data_dir: DataDirOption = Path("data")
) -> None:
    """Set an account's password; its sessions end."""
    text = checked_password(_asked(password))

    async def work(database: Database) -> None:
        hashed = await _hash(text)
        await database.write(
            lambda connection: change_user.set_password_hash(
                connection, _found(connection, handle).user_id, hashed, now=read_now_ms(connection)
            )
        )

    on_database(data_dir, work)
    _say(f"{handle} has a new password and is logged out everywhere")


@APP.command("disable")
def disable(handle: HandleArgument, *, data_dir: DataDirOption = Path("data")) -> None:
    """Shut an account out; its connections close within two seconds."""
    _change(data_dir, handle, change_user.disable_user)
    _say(f"{handle} is shut out")


@APP.command("enable")
def enable(handle: HandleArgument, *, data_dir: DataDirOption = Path("data")) -> None:
    """Let an account in again."""
    _change(data_dir, handle, change_user.enable_user)
    _say(f"{handle} may come in again")


@APP.command("grant")
def grant(
    handle: HandleArgument,
    kind: Annotated[str, typer.Argument(help="`registered`, `bot` or `admin`.")],
    *,
    data_dir: DataDirOption = Path("data"),
) -> None:
    """Make an account another kind; its sessions end, since tokens carry the kind."""
    number = _kind(kind)
    _change(
        data_dir, handle, lambda connection, user_id, *, now: change_user.set_kind(connection, user_id, number, now=now)
    )
    _say(f"{handle} is {kind} now")


@APP.command("list")
def list_users(
    *,
    prefix: Annotated[str, typer.Option(help="Only handles that begin so.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    data_dir: DataDirOption = Path("data"),
) -> None:
    """List accounts."""

    async def work(database: Database) -> list[UserRow]:
        return await database.read(
            lambda connection: find_users.list_users(connection, handle_prefix=prefix.lower(), limit=limit)
        )

    table = Table("id", "handle", "name", "kind", "made", "shut out")
    for user in on_database(data_dir, work):
        kind = UserKind.Name(UserKind.ValueType(user.kind)).removeprefix("USER_KIND_").lower()
        table.add_row(
            str(user.user_id), user.handle, user.display_name, kind, _time(user.created_time), _time(user.disabled_time)
        )
    Console().print(table)


@APP.command("invite")
def invite(
    *,
    uses: Annotated[int, typer.Option(min=1, help="How many accounts it makes.")] = 1,
    days: Annotated[int, typer.Option(min=0, help="How long it is good for; 0: for ever.")] = 7,
    data_dir: DataDirOption = Path("data"),
) -> None:
    """Make an invite code, for registration by invite."""
    code = random_source.token_urlsafe(INVITE_BYTES)

    def unit(connection: Connection) -> None:
        now = read_now_ms(connection)
        create_invite(connection, code, uses=uses, expire_time=now + days * DAY_MS if days else 0, now=now)

    on_database(data_dir, lambda database: database.write(unit))
    print(code)


def _change(data_dir: Path, handle: str, change: Callable[..., object]) -> None:
    def unit(connection: Connection) -> None:
        change(connection, _found(connection, handle).user_id, now=read_now_ms(connection))

    on_database(data_dir, lambda database: database.write(unit))


def _found(connection: Connection, handle: str) -> UserRow:
    user = find_users.find_user_by_handle(connection, handle.removeprefix("@"))
    if user is None:
        raise CommandError(
            f"there is no account @{handle.removeprefix('@')}",
            code=ExitCode.REFUSED,
            advice="`im user list` names them",
        )
    return user


async def _new_ids(database: Database) -> list[int]:
    """An id of a worker of our own: the running cluster has another one."""
    clock = SystemClock()
    async with open_discovery(DiscoverySettings(), database=database, clock=clock) as discovery:
        lease = WorkerLeaseKeeper(discovery, clock)
        await lease.acquire()
        return Snowflake(lease, clock).next_ids(1)


async def _hash(text: str) -> str:
    with Argon2Passwords(PasswordSettings(), Metrics(), random=random_source.token_bytes) as passwords:
        return await passwords.hash(text)


def _kind(text: str) -> int:
    if text not in _KINDS:
        raise typer.BadParameter(f"one of {', '.join(_KINDS)}")
    return _KINDS[text]


def _asked(given: str | None) -> str:
    return given if given is not None else str(typer.prompt("password", hide_input=True, confirmation_prompt=True))


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(sep=" ", timespec="minutes") if time_ms else ""


def _say(text: str) -> None:
    Console().print(text, highlight=False)
