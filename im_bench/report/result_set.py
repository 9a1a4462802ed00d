"""The results of a fixed set of runs in one file, written again whenever a run has ended: what is there, stays.

The file is what `im bench compare` reads: `runs` holds the results without their series and histograms, `failures` what
gave none.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from im_bench.report.result import SCHEMA_VERSION, Result
from im_bench.report.whole_file import write_whole


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that gave no result."""

    name: str
    """The scenario and the kind of server."""
    exit_code: int
    """What the run by itself would have ended with."""
    reason: str


class ResultSet:
    """The runs so far.

    Args:
        path: the file; its folder is made with the first run.
        machine: `im_bench.report.environment.environment` of it.
        repeats: how many times each scenario is to be run.
    """

    def __init__(self, path: Path, machine: dict[str, Any], *, repeats: int) -> None:
        self.path = path
        self.results: list[Result] = []
        self.failures: list[Failure] = []
        self._machine = machine
        self._repeats = repeats

    def add(self, result: Result) -> None:
        """A run has ended; the file holds it when this returns."""
        self.results.append(result)
        self._write()

    def fail(self, failure: Failure) -> None:
        """A run gave no result; the file tells so when this returns."""
        self.failures.append(failure)
        self._write()

    def as_json(self) -> dict[str, Any]:
        """The file's shape."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": "set",
            "environment": self._machine,
            "repeats": self._repeats,
            "runs": [result.as_short_json() for result in self.results],
            "failures": [asdict(failure) for failure in self.failures],
        }

    def _write(self) -> None:
        write_whole(self.path, json.dumps(self.as_json(), indent=1) + "\n")


def free_path(folder: Path, machine: dict[str, Any]) -> Path:
    """A file named after the day and the commit; numbered where there is one already, since both may be wanted."""
    stem = f"{time.strftime('%Y-%m-%d')}-{machine['commit'] or machine['version'] or 'unknown'}"
    path, number = folder / f"{stem}.json", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.json"
    return path
