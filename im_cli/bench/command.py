"""The group `im bench`."""

from collections.abc import MutableMapping
from typing import Any

import typer
from typer.core import TyperGroup

from im_cli.bench.exit_codes import OF_A_RUN


class _LazyGroup(TyperGroup):
    """Makes its commands when somebody asks for one: what the load tester imports would slow every `im` command."""

    _commands: MutableMapping[str, Any] | None = None

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """The commands by name."""
        if self._commands is None:
            from im_cli.bench import compare, plan, prepare, regression, scenario_command, search, sweep  # noqa: PLC0415 - see above

            app = typer.Typer()
            for module in (scenario_command, search, sweep, compare, plan, regression, prepare):
                module.add_to(app)
            group = typer.main.get_group(app)
            self._commands = group.commands
        return self._commands

    @commands.setter
    def commands(self, _given: MutableMapping[str, Any]) -> None:
        """Nothing is given: see above."""


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        cls=_LazyGroup,
        help="Measure a cluster, and prove while measuring that nothing was lost, doubled or out of order.",
        no_args_is_help=True,
        epilog=OF_A_RUN,
    )
    group.callback()(lambda: None)
    app.add_typer(group, name="bench")
