"""`im bench regression` with a set of seconds: one run that is good, then one that cannot take place, or a long one."""

import sys
from typing import Final

import typer

from im_bench.scenarios.private import PrivateScenario, PrivateSettings
from im_cli.bench import regression

GOOD: Final = PrivateSettings(pairs=2, rate=40, duration=1, warm_up=0)
REFUSED: Final = PrivateSettings(pairs=2, rate=40, duration=1, warm_up=0, size=20_000)
"""No message may be this long: the server refuses it for good."""
LONG: Final = PrivateSettings(pairs=2, rate=40, duration=120, warm_up=0)
SETS: Final = {"refused": (GOOD, REFUSED, GOOD), "long": (GOOD, LONG)}


def main() -> None:
    """The name of the set, then the command's own flags."""
    chosen = SETS[sys.argv.pop(1)]
    regression.SET = tuple((PrivateScenario, settings) for settings in chosen)  # type: ignore[misc]
    app = typer.Typer()
    regression.add_to(app)
    app()


if __name__ == "__main__":
    main()
