"""What can be set about the outbox."""

from pydantic import Field

from im_infra.settings import Section


class OutboxSettings(Section):
    """How long fan-out may take before it is repeated."""

    sweep_after_s: float = Field(
        default=3.0, gt=0, description="A batch not confirmed for this long is delivered again, in seconds."
    )
    interval_s: float = Field(
        default=1.0,
        gt=0,
        description="How often due rows are looked for, and confirmed ones deleted while nothing is sent, in seconds.",
    )
    max_backoff_s: float = Field(
        default=5.0, gt=0, description="The longest time between two deliveries of one batch, in seconds."
    )
    max_rows: int = Field(
        default=16_384,
        ge=1,
        description="Batches whose confirmations are counted at a time; others are found by age, in items.",
    )
