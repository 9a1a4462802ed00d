"""Which cache, and how large."""

from typing import Literal

from pydantic import Field

from im_infra.settings import Section


class CacheSettings(Section):
    """The shared cache."""

    kind: Literal["memory"] = Field(default="memory", description="The member: memory is this process's own.")
    max_entries: int = Field(default=1_000_000, ge=1, description="Entries kept in memory; full, new keys are refused.")
    max_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1,
        description="Bytes of keys and values kept in memory; full, new keys are refused.",
    )
