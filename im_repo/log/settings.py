"""What can be set about the log."""

from pydantic import Field

from im_infra.settings import Section


class AppendSettings(Section):
    """The queue in front of the log, and its batches."""

    queue_items: int = Field(
        default=16_384, ge=1, description="Entries that may wait to be appended; more are OVERLOADED, in items."
    )
    queue_bytes: int = Field(
        default=64 << 20, ge=1 << 20, description="Bodies that may wait to be appended; more are OVERLOADED, in bytes."
    )
    batch_items: int = Field(default=128, ge=1, le=1_000, description="Entries in one transaction, in items.")
    batch_bytes: int = Field(default=1 << 20, ge=1 << 16, description="Bodies in one transaction, in bytes.")


class FanoutSettings(Section):
    """When a group's entries go out as a large conversation's."""

    large_above: int = Field(default=500, ge=1, description="More members than this make a group large, in members.")
    small_below: int = Field(default=400, ge=0, description="Fewer members than this make it small again, in members.")
    both_ways_s: float = Field(
        default=30.0, ge=0, description="So long after a change entries go out both ways, in seconds."
    )
