"""What a run drives, and what may be watched of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from im_bench.adapters.abstract import Endpoint


@dataclass(frozen=True, slots=True)
class Target:
    """A server. Whoever starts one for a run yields this; for a foreign one only the endpoint is known."""

    endpoint: Endpoint
    pids: Mapping[str, int] = field(default_factory=dict)
    """Its processes on this machine, by name; their children are counted in."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What was set for this run; the result repeats it."""
    mode: str = "remote"
    """`embedded`, `cluster`, `together` or `remote`."""
    metrics_urls: tuple[str, ...] = ()
    """Where its processes tell their metrics (Prometheus text): the lag of the bus is read there."""
