"""What is wrong with a command line, in words for a person: Typer's parser hands through those of its library."""

import math
from typing import Any

import typer
from typer.exceptions import TyperException


def problem_of(error: TyperException) -> str:
    """What is wrong; empty where the help was printed instead, since a group was called without a command."""
    told = error.format_message().strip()
    if not isinstance(error, typer.BadParameter):
        return told
    from pydantic import ValidationError  # noqa: PLC0415 - slow, and loaded already where there is such an error

    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return told
    found: Any = cause.errors()[0]
    words = _words(found["type"], found["input"], found.get("ctx", {}), found["msg"])
    return told.removesuffix(error.message) + words


def advice_for(error: TyperException) -> str:
    """Where to look: the help of the command at hand."""
    context = getattr(error, "ctx", None)
    if context is None:
        return "`im --help`, or --help after a command, tells what there is"
    return f"`{context.command_path} --help` tells what there is"


def _words(kind: str, given: object, limits: dict[str, Any], otherwise: str) -> str:
    if kind.startswith("float") or _is_nan(given):
        return f"{given!r} is not a number"
    if kind.startswith("int"):
        return f"{given!r} is not a whole number"
    match kind:
        case "greater_than_equal":
            return f"{given} is less than {limits['ge']:,.12g}"
        case "less_than_equal":
            return f"{given} is more than {limits['le']:,.12g}"
        case "value_error":
            return str(limits["error"])
    return otherwise


def _is_nan(given: object) -> bool:
    try:
        return math.isnan(float(str(given)))
    except ValueError:
        return False
