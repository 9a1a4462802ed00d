"""Settings of task."""

from pydantic import Field

from im_infra.settings import Section


class FanOutSettings(Section):
    """The consumer of im.fanout."""

    max_records: int = Field(100, ge=1, le=1000, description="Records taken from the bus at a time.")
    max_entries: int = Field(256, ge=1, le=4096, description="Log entries in one frame to a gateway.")
    gateway_timeout_s: float = Field(
        2.0,
        gt=0,
        description="Seconds a gateway has to queue a frame; then the others go on, and its clients are told to compare.",
    )
    repo_timeout_s: float = Field(5.0, gt=0, description="Seconds a read from repo may take.")


class TaskSettings(Section):
    """Everything task can be told."""

    fan_out: FanOutSettings = FanOutSettings()
