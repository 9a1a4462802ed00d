"""The table of faults: what each run measured, for people and for the page of the documentation.

`python -m tests.harness.fault_table ROWS PAGE` puts the rows of a file into the page, with the date and the machine.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from tests.harness.all_faults import DISK, KILLS, LONG

BEGIN: Final = "<!-- faults -->"
END: Final = "<!-- /faults -->"
_HEAD: Final = ("fault", "promise", "gate", "measured", "verdict")


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

    def cells(self) -> Sequence[str]:
        """In the order of the head."""
        counts = f"{self.acked:,} acked, {self.unknown:,} of them unknown at first, {self.lost:,} lost, {self.shown_twice:,} shown twice"
        told = "; ".join(filter(None, (counts, f"recovery {self.recovery_s:.1f} s", self.measured)))
        broken = self.lost or self.shown_twice
        verdict = f"**missed**: {self.missed}" if self.missed else "**broken**" if broken else "met"
        return self.fault, self.promise, self.gate, told, verdict


def to_markdown(rows: Iterable[Row]) -> str:
    """As the page has it."""
    lines = [_HEAD, tuple("---" for _ in _HEAD), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def append(path: Path, rows: Iterable[Row]) -> None:
    """Add to a file of JSON lines."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)


def read(path: Path) -> list[Row]:
    """The rows of such a file; the last one of each fault."""
    rows = [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return list({row.fault: row for row in rows}.values())


def put_into(page: str, rows: Sequence[Row], *, day: date, cores: int, load: float) -> str:
    """The page with these rows instead of those between its marks, and what is missing among them."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    told = (
        f"Measured on {day.isoformat()} by `make faults`, all of it on {cores} cores with a load average of {load:.0f}."
    )
    measured = {row.fault for row in rows}
    left = [fault.name for fault in (*LONG, *KILLS, DISK) if fault.name not in measured]
    if left:
        told += f"\n\nNot run that day: {'; '.join(left)}."
    return f"{before}{BEGIN}\n{told}\n\n{to_markdown(rows)}{END}{after}"


if __name__ == "__main__":
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    made = put_into(
        target.read_text(encoding="utf-8"),
        read(source),
        day=datetime.now(UTC).date(),
        cores=os.cpu_count() or 1,
        load=os.getloadavg()[2],
    )
    target.write_text(made, encoding="utf-8")
