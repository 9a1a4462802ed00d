"""Reads what `im bench` wrote, as runs that can be compared."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from im_bench.capacity.compare import MACHINE, NOT_BROKEN, SEARCHED, SWEPT, Run, figures_of
from im_bench.report.direction import HIGHEST


class UnreadableError(Exception):
    """A file holds no result; the message says which and why."""


def read_runs(path: Path, *, on_skip: Callable[[str], None] = lambda _why: None) -> list[Run]:
    """The runs in a result file, in one of several (`im bench regression`, `sweep`, `search`), or in all such of a folder.

    Args:
        path: the file or folder.
        on_skip: told why a file of a folder was left out.

    Raises:
        UnreadableError: there is none.
    """
    if not path.is_dir():
        return _runs_of(path)
    runs: list[Run] = []
    for file in sorted(path.glob("*.json")):
        try:
            runs += _runs_of(file)
        except UnreadableError as error:
            on_skip(str(error))
    if not runs:
        raise UnreadableError(f"{path} holds no result of `im bench`")
    return runs


def _runs_of(file: Path) -> list[Run]:
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UnreadableError(f"{file} is no result of `im bench`: it is no JSON") from error
    try:
        if raw.get("kind") == "search":
            return [_search_as_run(file, raw)]
        runs: list[dict[str, Any]] = raw.get("runs", [raw])
        for run in runs:
            if raw.get("kind") == "sweep":
                run[SWEPT] = raw["over"]
                _ = run["settings"][raw["over"]]
            _ = run["scenario"], run["settings"]["mode"], run["correctness"], run["verdict"], figures_of(run)
            _ = [run["environment"][name] for name in MACHINE]
    except (TypeError, LookupError, AttributeError) as error:
        raise UnreadableError(f"{file} is JSON, but no result of `im bench`") from error
    if not runs:
        raise UnreadableError(f"{file} holds no run: none had ended when it was written")
    return [*runs]


def _search_as_run(file: Path, raw: Mapping[str, Any]) -> Run:
    """A search as a run whose only figure is the highest rate: its steps are of other rates, and are not compared."""
    if raw["highest_per_s"] is None:
        raise UnreadableError(f"{file} is a search in which no rate held: there is nothing to compare")
    result = raw["steps"][-1]["result"]
    return {
        "scenario": raw["scenario"],
        "settings": {name: value for name, value in result["settings"].items() if name != "rate"},
        "environment": {name: raw["environment"][name] for name in MACHINE},
        "verdict": "GOOD",  # a step that broke is how a search ends
        "correctness": result["correctness"],
        "acked_per_s": None,
        "delivered_per_s": None,
        "latency_ms": {},
        "resources": None,
        "measured": {HIGHEST: raw["highest_per_s"]},
        SEARCHED: raw["p99_ms"],
        NOT_BROKEN: raw["broke_per_s"] is None,
    }
