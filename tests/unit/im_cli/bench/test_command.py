"""What all commands of the load tester have in common."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from im_cli.bench.command import add_to


def commands() -> dict[str, Any]:
    """Every command that does something, by name."""
    app = typer.Typer()
    app.command("other")(lambda: None)
    add_to(app)

    def within(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        if inner := getattr(command, "commands", None):
            for inner_name, each in inner.items():
                yield from within(f"{name} {inner_name}", each)
        else:
            yield name, command

    root: Any = typer.main.get_command(app)
    return dict(within("bench", root.commands["bench"]))


COMMANDS = commands()


@pytest.mark.parametrize("name", COMMANDS)
def test_numbers_have_limits_or_infinity_would_be_one(name: str) -> None:
    unlimited = []
    for parameter in COMMANDS[name].params:
        if (parser := getattr(parameter.type_descriptor.parameter_info, "parser", None)) is not None:
            with pytest.raises(typer.BadParameter, match="is more than"):
                parser("9" * 400)
        elif parameter.type_descriptor.annotation is float and None in (parameter.min, parameter.max):
            unlimited.append(parameter.name)
    assert unlimited == []


@pytest.mark.parametrize("name", COMMANDS)
def test_exit_codes_name_no_flag_that_the_command_lacks(name: str) -> None:
    flags = {flag for parameter in COMMANDS[name].params for flag in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", COMMANDS[name].epilog or "")) <= flags


def test_each_kind_of_command_has_codes_of_its_own() -> None:
    assert "4 a target of --expect" in COMMANDS["bench private"].epilog
    assert "4 no rate held" in COMMANDS["bench search private"].epilog
    assert "4 a target of the scenario was missed" in COMMANDS["bench sweep private"].epilog
