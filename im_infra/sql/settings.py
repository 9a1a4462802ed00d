"""How the database is reached."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from im_infra.settings import Section


class SqliteSettings(Section):
    """The embedded member: one file, in the data folder unless its path is absolute."""

    path: Path = Field(
        default=Path("im.sqlite3"), description="The database file; a relative path lies in the data folder."
    )
    reader_threads: int = Field(default=3, ge=1, le=16, description="Threads that read side by side; one more writes.")
    busy_timeout_ms: int = Field(
        default=5_000,
        ge=1,
        le=60_000,
        description="Milliseconds to wait for another process's lock before STORAGE_BUSY is answered.",
    )
    checkpoint_pages: int = Field(
        default=4_000,
        ge=100,
        description="Pages (4 KiB) of write-ahead log after which a commit also moves them into the database file.",
    )
    cache_kib: int = Field(
        default=65_536, ge=1_024, description="KiB of pages that the writing connection keeps in memory."
    )


class SqlSettings(Section):
    """Which member of the family, and its own section."""

    kind: Literal["sqlite"] = Field(default="sqlite", description="The engine; `sqlite` is a file of this machine.")
    sqlite: SqliteSettings = SqliteSettings()
