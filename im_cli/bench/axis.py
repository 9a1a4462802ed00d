"""Reads what a sweep is to vary: `members=10,100,1000`."""

import dataclasses
import math
from typing import Any, Final, get_args, get_type_hints

import typer

from im_bench.capacity.sweep import Axis, Value
from im_bench.scenarios.option import Option, Settings
from im_cli.bench.duration import seconds

LEAST: Final = 2
"""Values: with fewer nothing is varied."""


def parse_axis(text: str, settings_type: type[Settings]) -> Axis:
    """The setting and its values, as a person writes them.

    Args:
        text: the flag's name without its dashes, and the values.
        settings_type: of the scenario.

    Raises:
        ValueError: it is none; the message says what is wrong.
    """
    known = numeric_settings(settings_type)
    name, sign, listed = text.partition("=")
    setting = name.strip().removeprefix("--").replace("-", "_")
    if not sign or setting not in known:
        flags = ", ".join(each.replace("_", "-") for each in known)
        raise ValueError(f"--over {text}: write NAME=VALUE,VALUE with one of {flags}")
    values = [_value(each.strip(), setting, *known[setting]) for each in listed.split(",") if each.strip()]
    if len(set(values)) < LEAST or len(set(values)) < len(values):
        raise ValueError(f"--over {text}: write {LEAST} values or more, each once")
    return Axis(setting, sorted(values))


def numeric_settings(settings_type: type[Settings]) -> dict[str, tuple[type, Option]]:
    """The settings whose values are numbers or lengths of time, but for the seed, which each round changes."""
    found: dict[str, tuple[type, Option]] = {}
    hints = get_type_hints(settings_type, include_extras=True)
    for field in dataclasses.fields(settings_type):
        kind, *rest = get_args(hints[field.name]) or (None,)
        option: Any = rest[0] if rest else None
        if kind in (int, float) and isinstance(option, Option) and field.name != "seed":
            found[field.name] = kind, option
    return found


def _value(text: str, setting: str, kind: type, option: Option) -> Value:
    try:
        value: Value = seconds(text) if option.is_duration else kind(text)
    except (ValueError, typer.BadParameter) as error:
        wanted = "a length of time" if option.is_duration else "a whole number" if kind is int else "a number"
        raise ValueError(f"--over {setting}: {text!r} is not {wanted}") from error
    if not math.isfinite(value):
        raise ValueError(f"--over {setting}: {text!r} is not a number")
    least, most = option.min, option.max
    if (least is not None and value < least) or (most is not None and value > most):
        limits = [
            *([f"at least {least:,.10g}"] if least is not None else []),
            *([f"at most {most:,.10g}"] if most is not None else []),
        ]
        raise ValueError(f"--over {setting}: {text} is not {' and '.join(limits)}")
    return value
