"""`im version`: what runs here."""

import importlib.metadata
import platform
from typing import Annotated, Final

import typer

DISTRIBUTION: Final = "im-cluster"


def installed_version() -> str:
    """The version of the installed distribution."""
    return importlib.metadata.version(DISTRIBUTION)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("version")(version)


def _print_and_end(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_print_and_end, help="Print the version, as `im version`.")
]


def as_flag(*, version: VersionOption = False) -> None:
    """Nothing is left to do: the flag has its callback."""


def version(
    *, verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also the libraries that matter.")] = False
) -> None:
    """Print the version."""
    print(f"im {installed_version()}")
    if verbose:
        print(f"python {platform.python_version()}")
        for name in ("grpcio", "picows", "protobuf", "sqlalchemy", "uvloop"):
            print(f"{name} {importlib.metadata.version(name)}")
