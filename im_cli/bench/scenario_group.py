"""Makes a group of commands that each do the same with another scenario: `im bench search private`."""

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

import typer

from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.option import LoadSettings
from im_bench.scenarios.registry import SCENARIOS
from im_cli.bench.measure import Flags
from im_cli.bench.scenario_command import RUN_PARAMETERS, flag_parameters, named, settings_parameters

Act = Callable[..., None]
"""Takes the scenario, its settings, the `Flags` of a run and, by name, the group's own flags."""


def add_group(
    app: typer.Typer,
    act: Act,
    *,
    told: str,
    told_of: Callable[[str], str],
    codes: str,
    own: Mapping[str, tuple[Any, Any]],
    without: Collection[str],
) -> None:
    """Add the group, named after `act`, with a command for each scenario that drives at a rate.

    Args:
        app: where to.
        act: what a command does.
        told: the group's help.
        told_of: a command's, given its scenario's name.
        codes: how a command ends.
        own: the group's own flags: annotation and default of each.
        without: settings and flags that have no meaning here.
    """
    group = typer.Typer(no_args_is_help=True, help=told, epilog=codes)
    group.callback()(lambda: None)
    for scenario in SCENARIOS:
        if issubclass(scenario.settings_type, LoadSettings):
            command = _command(scenario, act, own=own, without=without)
            group.command(scenario.name, help=told_of(scenario.name), epilog=codes)(command)
    app.add_typer(group, name=act.__name__, rich_help_panel="What to make of it")


def _command(
    scenario: type[Scenario[Any]], act: Act, *, own: Mapping[str, tuple[Any, Any]], without: Collection[str]
) -> Callable[..., None]:
    """A function that typer makes a command of."""
    given_settings = settings_parameters(scenario.settings_type)
    settings = {name: each for name, each in given_settings.items() if name not in without}
    run = {name: each for name, each in RUN_PARAMETERS.items() if name not in without}

    def command(context: typer.Context, **given: Any) -> None:  # noqa: ANN401 - as its signature says
        written = frozenset(name for name in settings if _is_written(context, name))
        chosen = scenario.settings_type(**{name: given.pop(name) for name in settings})
        flags = Flags(**{name: given.pop(name) for name in run}, named_settings=written)
        act(scenario, chosen, flags, **given)

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    parameters = (context, *flag_parameters(own).values(), *settings.values(), *run.values())
    return named(command, scenario.name, parameters)


def _is_written(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
