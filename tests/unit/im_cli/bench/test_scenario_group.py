"""A command of a group knows which settings were written down."""

from typing import Any

import pytest
import typer

from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.option import Settings
from im_cli.bench.measure import Flags
from im_cli.bench.scenario_group import add_group


@pytest.mark.parametrize(
    ("arguments", "written"),
    [((), set()), (("--pairs", "500", "--warm-up", "1", "--workers", "1"), {"pairs", "warm_up"})],
)
def test_what_is_written_is_told_from_defaults(arguments: tuple[str, ...], written: set[str]) -> None:
    seen: list[frozenset[str]] = []

    def act(_scenario: type[Scenario[Any]], _settings: Settings, flags: Flags) -> None:
        seen.append(flags.named_settings)

    app = typer.Typer()
    add_group(app, act, told="", told_of=lambda name: name, codes="", own={}, without=())
    app.command("other")(lambda: None)
    app(["act", "private", *arguments], standalone_mode=False)
    assert seen == [written]
