"""Write docs/reference/cli.md from the commands themselves; with `--check` compare it."""

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Protocol

import typer
from generated_page import finish, row, table

from im_cli.main import APP

HEAD = """# Commands

<!-- generated from im_cli/ by `make docs`; edit the commands' own help -->

`im` is in `.venv/bin` once `make run` or `make test` has set things up. `im --help`, or `--help` after a command, tells
the same as this page.
"""
OF_TYPER = {"help", "install_completion", "show_completion"}
TYPES = {Path: "PATH", str: "TEXT", int: "N", float: "NUMBER"}
DURATION = re.compile(r"<duration> \[(?P<least>[0-9.]+)<=x<=(?P<most>[0-9.]+)s\]")


class TypeDescriptor(Protocol):
    """A parameter's annotation, as Typer keeps it."""

    annotation: type


class Parameter(Protocol):
    """What this page needs of a flag or argument."""

    name: str
    param_type_name: str
    opts: list[str]
    default: object
    required: bool
    hidden: bool
    help: str | None
    min: float | None
    max: float | None
    envvar: str | None
    metavar: str | None
    type_descriptor: TypeDescriptor


class Command(Protocol):
    """What this page needs of a command."""

    help: str | None
    epilog: str | None
    hidden: bool
    params: list[Parameter]


def plain(text: str | None) -> str:
    """Help without the marks of the terminal."""
    return (text or "").replace("\f", "").strip()


def name_of(parameter: Parameter) -> str:
    """A flag with its value, or an argument."""
    if parameter.param_type_name == "argument":
        name = parameter.name.upper()
        return f"`{name}`" if parameter.required else f"`[{name}]`"
    annotation = parameter.type_descriptor.annotation
    value = "" if annotation is bool else f" {TYPES.get(annotation, 'VALUE')}"
    return ", ".join(f"`{option}{value}`" for option in parameter.opts)


def default_of(parameter: Parameter) -> str:
    """A default as code."""
    value = parameter.default
    if parameter.required:
        return "needed"
    if value is None or value is False or value == "":
        return ""
    return f"`{value.value if isinstance(value, Enum) else value}`"


def help_of(parameter: Parameter) -> str:
    """What it does, its range, its variable."""
    text = plain(parameter.help)
    if parameter.min is not None or parameter.max is not None:
        most = "" if parameter.max is None else f" to {parameter.max}"
        text += f" {parameter.min}{most or ' or more'}."
    if match := DURATION.fullmatch(parameter.metavar or ""):
        text += f" A number, or `30s`, `500ms`, `2m`; {match['least']} to {match['most']} s."
    if parameter.envvar:
        text += f" Variable: `{parameter.envvar}`."
    return text


def describe(name: str, command: Command, *, above: str | None = None) -> Iterator[str]:
    """One command, then those within it; exit codes are told once where all within a group share them."""
    inner: dict[str, Command] = getattr(command, "commands", {})
    if name != "im":
        yield from ("", f"{'##' if name.count(' ') == 1 else '###'} {name}", "", plain(command.help))
        parameters = [each for each in command.params if each.name not in OF_TYPER and not each.hidden]
        if parameters:
            yield from ("", *table("flag or argument", "default", "what it does"))
            yield from (row(name_of(each), default_of(each), help_of(each)) for each in parameters)
    if command.epilog and command.epilog != above:
        yield from ("", "Exit codes:", "", *table("code", "means"))
        codes = plain(command.epilog).removeprefix("Exit codes:").split("·")
        yield from (row(*code.strip().split(" ", 1)) for code in codes)
    for inner_name, each in inner.items():
        if not each.hidden:
            yield from describe(f"{name} {inner_name}", each, above=command.epilog)


def main() -> None:
    """Write the page."""
    finish("cli.md", [*HEAD.splitlines(), *describe("im", typer.main.get_command(APP))])


if __name__ == "__main__":
    main()
