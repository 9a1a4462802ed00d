"""The table of faults: what each run measured, for people and for the page of the documentation.

`python -m tests.harness.fault_table ROWS PAGE` puts the rows of a file into the page. What was measured anew replaces the
row of that fault; the others stay with the day and the load under which they were measured.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.harness.all_faults import DISK, KILLS, LONG

BEGIN: Final = "<!-- faults -->"
END: Final = "<!-- /faults -->"
_HEAD: Final = ("fault", "promise", "gate", "measured", "when", "verdict")
_RULE: Final = tuple("---" for _ in _HEAD)


@dataclass(frozen=True, slots=True)
class Row:
    """One fault of one run."""

    fault: str
    promise: str
    acked: int
    unknown: int
    """Tries that ended without an answer; each message was settled later."""
    lost: int
    shown_twice: int
    recovery_s: float
    measured: str
    """What the fault measured besides."""
    gate: str
    missed: str
    """The gates that were not reached, in words; empty: all were."""
    day: str
    """On which it was measured, as ISO 8601 has it."""
    cores: int
    load: float
    """The machine's load average of the last minute, when it had ended."""

    def cells(self) -> Sequence[str]:
        """In the order of the head."""
        counts = f"{self.acked:,} acked, {self.unknown:,} of them unknown at first, {self.lost:,} lost, {self.shown_twice:,} shown twice"
        told = "; ".join(filter(None, (counts, f"recovery {self.recovery_s:.1f} s", self.measured)))
        broken = self.lost or self.shown_twice
        verdict = f"**missed**: {self.missed}" if self.missed else "**broken**" if broken else "met"
        when = f"{self.day}, {self.cores} cores, load {self.load:.0f}"
        return self.fault, self.promise, self.gate, told, when, verdict


def to_markdown(rows: Iterable[Row]) -> str:
    """As the page has it."""
    return _to_table(row.cells() for row in rows)


def worst(rows: Iterable[Row]) -> list[Row]:
    """Of a run that met a fault more than once, the row that speaks most against it; in the order of the first ones."""

    def badness(row: Row) -> tuple[int, bool, float]:
        return row.lost + row.shown_twice, bool(row.missed), row.recovery_s

    found: dict[str, Row] = {}
    for row in rows:
        found[row.fault] = max(found.get(row.fault, row), row, key=badness)
    return list(found.values())


def append(path: Path, rows: Iterable[Row]) -> None:
    """Add to a file of JSON lines."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)


def read(path: Path) -> list[Row]:
    """The rows of such a file; the last one of each fault."""
    rows = [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return list({row.fault: row for row in rows}.values())


def put_into(page: str, rows: Sequence[Row]) -> str:
    """The page with these rows between its marks, besides those that are there of other faults, and what never ran."""
    before, _, rest = page.partition(BEGIN)
    kept, _, after = rest.partition(END)
    table: Mapping[str, Sequence[str]] = {**_from_table(kept), **{row.fault: row.cells() for row in rows}}
    names = [fault.name for fault in (*KILLS, *LONG, DISK)]
    told = "Each row was measured by `make faults` on the day and under the load average that it tells."
    if never := [name for name in names if name not in table]:
        told += f"\n\nNever run yet: {'; '.join(never)}."
    lines = [table[name] for name in names if name in table]
    return f"{before}{BEGIN}\n{told}\n\n{_to_table(lines)}{END}{after}"


def _to_table(lines: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (_HEAD, _RULE, *lines))


def _from_table(text: str) -> dict[str, Sequence[str]]:
    """The lines of a table below its head, by fault."""
    lines = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {cells[0]: cells for cells in lines if tuple(cells) not in {_HEAD, _RULE}}


if __name__ == "__main__":
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.write_text(put_into(target.read_text(encoding="utf-8"), read(source)), encoding="utf-8")
