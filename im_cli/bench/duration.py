"""Lengths of time as people write them on the command line."""

import re
from collections.abc import Callable
from typing import Final

import typer

_WRITTEN: Final = re.compile(r"(?P<value>[0-9]+(?:\.[0-9]+)?)(?P<unit>ms|s|m|)")
_SECONDS: Final = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0}


def seconds(text: str, *, needs_unit: bool = False) -> float:
    """`30s`, `500ms`, `2m`, or a bare number of seconds.

    Args:
        text: what was written.
        needs_unit: a bare number is refused, where people would think of milliseconds.

    Raises:
        typer.BadParameter: it is none of them.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or (needs_unit and not match["unit"]):
        raise typer.BadParameter(f"{text!r} is no length of time: write 30s, 500ms or 2m")
    return float(match["value"]) * _SECONDS[match["unit"]]


def seconds_between(least: float, most: float) -> Callable[[str | float], float]:
    """A parser of lengths from `least` to `most` seconds; a default comes as the number that it is."""

    def parse(given: str | float) -> float:
        length = seconds(given) if isinstance(given, str) else given
        if length < least:
            raise typer.BadParameter(f"{given} is less than {least:g} s")
        if length > most:
            raise typer.BadParameter(f"{given} is more than {most:,g} s")
        return length

    return parse
