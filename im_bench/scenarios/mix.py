"""The mix of a mixed load: a TOML file with weights."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

MESSAGES: Final = ("private", "group", "world")
BESIDE: Final = ("typing", "read", "history")


@dataclass(frozen=True, slots=True)
class Mix:
    """What people do."""

    messages: Mapping[str, float]
    """Where messages go, by weight."""
    beside: Mapping[str, float]
    """How often people do something else, for each message."""


def load_mix(path: str) -> Mix:
    """Read a mix.

    Args:
        path: the file; empty: the one that ships with the load tester.

    Raises:
        ValueError: it is none; the message says what is wrong.
    """
    file = Path(path) if path else files(__package__).joinpath("mix.toml")
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"--mix {path}: {error}") from error
    if unknown := set(raw) - {"messages", "beside"}:
        raise ValueError(
            f"--mix {path}: unknown {', '.join(sorted(unknown))}: only [messages] and [beside] mean something"
        )
    messages, beside = _weights(path, raw, "messages", MESSAGES), _weights(path, raw, "beside", BESIDE)
    if not sum(messages.values()):
        raise ValueError(f"--mix {path}: [messages] needs a weight above 0 for one of {', '.join(MESSAGES)}")
    return Mix(messages, beside)


def _weights(path: str, raw: Mapping[str, Any], table: str, known: tuple[str, ...]) -> dict[str, float]:
    given = raw.get(table, {})
    if not isinstance(given, dict):
        raise ValueError(f"--mix {path}: {table} must be a table")  # noqa: TRY004 - what is wrong is the file
    for name, weight in given.items():
        if name not in known:
            raise ValueError(f"--mix {path}: unknown {table}.{name}: it is one of {', '.join(known)}")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
            raise ValueError(f"--mix {path}: {table}.{name} must be a number from 0 on")
    return {name: float(given.get(name, 0)) for name in known}
