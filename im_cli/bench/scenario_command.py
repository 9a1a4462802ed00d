"""Makes a command of each scenario: its docstring is the help, its settings are the flags."""

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final, get_args, get_type_hints

import typer

from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.option import MOST_S, Option, Settings
from im_bench.scenarios.registry import SCENARIOS
from im_cli.bench import flags
from im_cli.bench.duration import seconds_between
from im_cli.bench.exit_codes import OF_A_RUN
from im_cli.bench.measure import Flags, measure


def add_to(app: typer.Typer) -> None:
    """Add a command for each scenario."""
    for scenario in SCENARIOS:
        told = inspect.getdoc(scenario)
        app.command(scenario.name, help=told, epilog=OF_A_RUN, rich_help_panel="Scenarios")(command_of(scenario))


def command_of(scenario: type[Scenario[Any]]) -> Callable[..., None]:
    """A function that typer makes a command of."""
    own = settings_parameters(scenario.settings_type)

    def command(**given: Any) -> None:  # noqa: ANN401 - as its signature says
        settings = scenario.settings_type(**{name: given.pop(name) for name in own})
        measure(scenario, settings, Flags(**given))

    return named(command, scenario.name, (*own.values(), *RUN_PARAMETERS.values()))


def named(command: Callable[..., None], name: str, parameters: Iterable[inspect.Parameter]) -> Callable[..., None]:
    """A function with a name and parameters of its own, as typer reads them."""
    signature = inspect.Signature(list(parameters))
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
    command.__name__ = name
    return command


def settings_parameters(settings_type: type[Settings]) -> dict[str, inspect.Parameter]:
    """A parameter for each field: those of the scenario itself first."""
    hints = get_type_hints(settings_type, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(settings_type)}
    own = [name for name in fields if name in settings_type.__annotations__]
    return {
        name: _parameter(name, fields[name].default, hints[name])
        for name in (*own, *(name for name in fields if name not in own))
    }


def _parameter(name: str, default: object, hint: object) -> inspect.Parameter:
    kind, option = get_args(hint)
    assert isinstance(option, Option)
    flag = f"--{name.replace('_', '-')}"
    if option.is_duration:
        least, most = option.min or 0, MOST_S if option.max is None else option.max
        parser, metavar = seconds_between(least, most), f"<duration> [{least:g}<=x<={most:g}s]"
        told = typer.Option(flag, help=option.help, parser=parser, metavar=metavar)
    else:
        told = typer.Option(flag, help=option.help, min=option.min, max=option.max)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, told])


def flag_parameters(hints: Mapping[str, tuple[Any, Any]]) -> dict[str, inspect.Parameter]:
    """A parameter for each flag: its annotation and its default."""
    return {
        name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
        for name, (hint, default) in hints.items()
    }


def _run_parameters() -> dict[str, inspect.Parameter]:
    """The flags that every scenario has."""
    hints: dict[str, tuple[Any, Any]] = {
        "url": (flags.UrlOption, None),
        "cluster": (flags.ClusterOption, False),
        "together": (flags.TogetherOption, False),
        "ca_file": (flags.CaFileOption, None),
        "users_file": (flags.UsersFileOption, None),
        "workers": (flags.WorkersOption, 1),
        "adapter": (flags.AdapterOption, "im"),
        "source_address": (flags.SourceAddressOption, None),
        "expect": (flags.ExpectOption, None),
        "json_file": (flags.JsonOption, None),
        "html_file": (flags.HtmlOption, None),
    }
    return flag_parameters(hints)


RUN_PARAMETERS: Final = _run_parameters()
