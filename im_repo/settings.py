"""Everything that can be set about repo."""

from pydantic import Field

from im_infra.rpc.settings import StreamSettings
from im_infra.settings import Section
from im_repo.log.settings import AppendSettings, FanoutSettings
from im_repo.outbox.settings import OutboxSettings


class RepoSettings(Section):
    """The service that owns the data."""

    append: AppendSettings = AppendSettings()
    fanout: FanoutSettings = FanoutSettings()
    outbox: OutboxSettings = OutboxSettings()
    stream: StreamSettings = StreamSettings()
    clock_interval_s: float = Field(
        default=1.0, gt=0, le=10, description="How often the database's time is written down, in seconds."
    )
    guest_idle_days: int = Field(
        default=30, ge=0, description="Guests unseen for so long are shut out, in days; 0: never."
    )
