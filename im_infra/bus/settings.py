"""Which bus, and how patient it is."""

from typing import Literal

from pydantic import Field

from im_infra.settings import Section


class BusSettings(Section):
    """The bus between commits and what follows from them."""

    kind: Literal["embedded"] = Field(default="embedded", description="The member: embedded is this process's own.")
    max_waiting: int = Field(
        default=10_000, ge=1, description="Records waiting to be taken or stored; full, publishing answers OVERLOADED."
    )
    max_tries: int = Field(
        default=3, ge=2, description="How often a record is handed out before it becomes a dead letter."
    )
    first_backoff_ms: int = Field(
        default=200, ge=0, description="Milliseconds before the second try; each further wait is five times as long."
    )
    poll_interval_ms: int = Field(
        default=1_000, ge=10, description="Milliseconds between looks for stored records that nobody announced."
    )
