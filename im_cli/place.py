"""Which cluster an operator's command is about."""

from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """What the flags of a command name."""

    data_dir: Path
    """Of an embedded cluster."""
    config: Path | None = None
    """Settings; with `sql.kind = "mysql"` in them, or in the environment, the data folder plays no part."""
