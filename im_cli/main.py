"""The `im` command: one file per command, gathered here.

Commands import what they need when they run, so that `im --help` and `im version` stay quick.
"""

import sys
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.exceptions import TyperException

from im_cli import backup, bench, chat, dlq, keys, migrate, migrate_data, repo, serve, up, user, version
from im_cli.cluster import command as cluster
from im_cli.doctor import command as doctor
from im_cli.exit_code import CommandError, ExitCode
from im_cli.status import command as status
from im_infra.errors import ImError

APP = typer.Typer(
    name="im",
    help="An instant-messaging cluster: start it, talk on it, keep it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done · 1 wrong usage or settings · 3 a folder or port is taken · 4 the storage cannot be used · "
    "5 refused · 6 unhealthy · 7 no answer · 70 a bug of ours · 130 interrupted",
)
for _module in (
    up,
    serve,
    cluster,
    status,
    migrate,
    migrate_data,
    chat,
    bench,
    user,
    keys,
    dlq,
    backup,
    repo,
    doctor,
    version,
):
    _module.add_to(APP)


def main() -> NoReturn:
    """Run the command line and exit with a documented code."""
    errors = Console(stderr=True)
    try:
        code = APP(standalone_mode=False)
    except CommandError as error:
        errors.print(f"[bold red]im:[/] {escape(error.message)}", highlight=False, soft_wrap=True)
        if error.advice:
            errors.print(f"    {error.advice}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(error.code)
    except ImError as error:
        errors.print(f"[bold red]im:[/] {escape(error.message)}", highlight=False, soft_wrap=True)
        sys.exit(ExitCode.REFUSED)
    except typer.Abort:
        sys.exit(ExitCode.INTERRUPTED)
    except TyperException as error:
        errors.print(f"[bold red]im:[/] {error.format_message()}", highlight=False)
        errors.print("    `im --help`, or --help after a command, tells what there is", highlight=False)
        sys.exit(ExitCode.USAGE)
    sys.exit(code if isinstance(code, int) else ExitCode.DONE)


if __name__ == "__main__":
    main()
