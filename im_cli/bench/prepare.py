"""`im bench prepare`: accounts for later runs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from im_cli.bench.address import problem_with_url
from im_cli.bench.flags import CaFileOption
from im_cli.exit_code import CommandError, ExitCode


class Kind(StrEnum):
    """Which accounts."""

    REGISTERED = "registered"
    GUEST = "guest"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prepare")(prepare)


def prepare(
    *,
    users: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many accounts the file shall have.")],
    kind: Annotated[
        Kind, typer.Option(help="`registered`: they may message anybody. `guest`: for `connect` and `idle`; no hashes.")
    ] = Kind.REGISTERED,
    url: Annotated[str, typer.Option(help="An http(s) address of a gateway.")] = "http://127.0.0.1:8080",
    ca_file: CaFileOption = None,
    users_file: Annotated[Path, typer.Option(help="Where their credentials are kept.")] = Path("bench-users.json"),
) -> None:
    """Make accounts on a server and keep their credentials in a file, so that runs need not make them.

    The file is readable by its owner only: it holds passwords and tokens. Run it again to add what is missing.
    """
    from rich.console import Console  # noqa: PLC0415 - slow imports

    from im_bench.adapters.abstract import Endpoint  # noqa: PLC0415
    from im_cli.bench.people import PeopleSource, problem_with_users  # noqa: PLC0415

    if problem := problem_with_url(url) or problem_with_users(users_file, url.rstrip("/")):
        raise CommandError(problem, code=ExitCode.USAGE)
    endpoint = Endpoint(url.rstrip("/"), str(ca_file) if ca_file is not None else None)
    PeopleSource(endpoint, users_file, Console(stderr=True)).take(kind.value, users, for_s=0)
    Console().print(
        f"{users:,} {kind.value} accounts of {endpoint.url} in {users_file}\n"
        "They stay on the server: nothing removes registered accounts; guests go after 30 idle days.",
        highlight=False,
        soft_wrap=True,
    )
