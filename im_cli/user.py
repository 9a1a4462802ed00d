"""`im user`: accounts, on an operator's word, whether the cluster runs or not."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Column, Table

from im_cli.place import Place
from im_cli.up import ConfigOption, DataDirOption

APP = typer.Typer(help="Accounts, on an operator's word.", no_args_is_help=True)
KINDS: Final = {"registered": 2, "bot": 3, "admin": 4}
"""Names of im.v1.UserKind that an operator gives; guests come by themselves."""

HandleArgument = Annotated[str, typer.Argument(help="The account's handle, with or without @.")]
KindOption = Annotated[str, typer.Option(help="`registered`, `bot` or `admin`.")]
PasswordOption = Annotated[
    str | None, typer.Option("--password", help="The password; asked for unless given. 8 to 256 characters.")
]


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(APP, name="user")


@APP.command("create")
def create(
    handle: HandleArgument,
    *,
    name: Annotated[str, typer.Option(help="The name shown to people; the handle unless given.")] = "",
    kind: KindOption = "registered",
    password: PasswordOption = None,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
) -> None:
    """Make an account, whatever the registration mode."""
    from im_cli.admin import users  # noqa: PLC0415 - slow imports, only when it runs

    user = users.create(Place(data_dir, config), handle, name=name, kind=_kind(kind), password=_asked(password))
    _say(f"@{user.handle} is made (id {user.user_id}, {kind})")


@APP.command("password")
def set_password(
    handle: HandleArgument,
    *,
    password: PasswordOption = None,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
) -> None:
    """Set an account's password; its sessions end."""
    from im_cli.admin import users  # noqa: PLC0415 - as above

    users.set_password(Place(data_dir, config), handle, _asked(password))
    _say(f"{handle} has a new password and is logged out everywhere")


@APP.command("disable")
def disable(handle: HandleArgument, *, data_dir: DataDirOption = Path("data"), config: ConfigOption = None) -> None:
    """Shut an account out; its connections close within two seconds."""
    from im_cli.admin import users  # noqa: PLC0415 - as above

    users.disable(Place(data_dir, config), handle)
    _say(f"{handle} is shut out")


@APP.command("enable")
def enable(handle: HandleArgument, *, data_dir: DataDirOption = Path("data"), config: ConfigOption = None) -> None:
    """Let an account in again."""
    from im_cli.admin import users  # noqa: PLC0415 - as above

    users.enable(Place(data_dir, config), handle)
    _say(f"{handle} may come in again")


@APP.command("grant")
def grant(
    handle: HandleArgument,
    kind: Annotated[str, typer.Argument(help="`registered`, `bot` or `admin`.")],
    *,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
) -> None:
    """Make an account another kind; its sessions end, since tokens carry the kind."""
    from im_cli.admin import users  # noqa: PLC0415 - as above

    users.grant(Place(data_dir, config), handle, _kind(kind))
    _say(f"{handle} is {kind} now")


@APP.command("list")
def list_users(
    *,
    prefix: Annotated[str, typer.Option(help="Only handles that begin so.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
) -> None:
    """List accounts."""
    from im_cli.admin import users  # noqa: PLC0415 - as above

    table = Table(
        Column("id", no_wrap=True), Column("handle", no_wrap=True), "name", "kind", "made (UTC)", "shut out (UTC)"
    )
    for user in users.list_users(Place(data_dir, config), prefix=prefix, limit=limit):
        times = (_time(user.created_time), _time(user.disabled_time))
        table.add_row(str(user.user_id), user.handle, user.display_name, users.kind_name(user.kind), *times)
    Console().print(table)


@APP.command("invite")
def invite(
    *,
    uses: Annotated[int, typer.Option(min=1, help="How many accounts it makes.")] = 1,
    days: Annotated[int, typer.Option(min=0, help="How long it is good for; 0: for ever.")] = 7,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
) -> None:
    """Make an invite code, for registration by invite."""
    from im_cli.admin import users  # noqa: PLC0415 - as above

    print(users.invite(Place(data_dir, config), uses=uses, days=days))


def _kind(text: str) -> int:
    if text not in KINDS:
        raise typer.BadParameter(f"one of {', '.join(KINDS)}")
    return KINDS[text]


def _asked(given: str | None) -> str:
    return given if given is not None else str(typer.prompt("password", hide_input=True, confirmation_prompt=True))


def _time(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M}" if time_ms else ""


def _say(text: str) -> None:
    Console().print(text, highlight=False)
