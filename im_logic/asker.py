"""Who asks, as every room needs to know."""

from typing import NamedTuple

from im_infra.observability.tracing import Span


class Origin(NamedTuple):
    """The connection that asked: it has its answer, so it is left out of the push. Connection 0 is none (HTTP)."""

    gateway_id: str
    boot_id: str
    connection_id: int


class Asker(NamedTuple):
    """Who asks, as the gateway vouches for."""

    user_id: int
    user_kind: int
    origin: Origin
    exempt: bool = False
    """No per-user buckets."""
    trace: Span | None = None
    """The request's span, where it is sampled."""
