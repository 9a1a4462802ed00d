"""The `im` command: one file per command, gathered here.

Commands import what they need when they run, so that `im --help` and `im version` stay quick.
"""

import sys
import traceback
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.exceptions import TyperException

from im_cli import backup, bench, chat, dlq, keys, migrate, migrate_data, repo, serve, up, user, version
from im_cli.cluster import command as cluster
from im_cli.doctor import command as doctor
from im_cli.exit_code import BUG_ADVICE, CommandError, ExitCode
from im_cli.status import command as status
from im_cli.usage_error import advice_for, problem_of
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
APP.callback()(version.as_flag)


def main() -> NoReturn:
    """Run the command line and exit with a documented code."""
    errors = Console(stderr=True)
    try:
        code = APP(prog_name="im", standalone_mode=False)
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
        if problem := problem_of(error):
            errors.print(f"[bold red]im:[/] {escape(problem)}", highlight=False, soft_wrap=True)
            errors.print(f"    {advice_for(error)}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(ExitCode.USAGE)
    except Exception as error:  # noqa: BLE001 - the program's edge: whatever comes here is no fault of who called it
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}".rstrip(": ").partition("\n")[0]
        errors.print(f"[bold red]im:[/] this is a bug of ours: {escape(said)}", highlight=False, soft_wrap=True)
        errors.print(f"    {BUG_ADVICE}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(ExitCode.INTERNAL)
    sys.exit(code if isinstance(code, int) else ExitCode.DONE)


if __name__ == "__main__":
    main()
