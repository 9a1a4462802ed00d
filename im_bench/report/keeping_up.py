"""Whether a server did what was asked of it: a queue that grows has no latency of its own."""

from typing import Final

LEAST_SHARE: Final = 0.97
"""Acked of offered: less is a queue that grows, whatever its latency is by the end."""


def keeps_up(offered_per_s: float | None, acked_per_s: float | None, *, closed: bool) -> bool:
    """Whether as much was acked as was offered; in a closed loop the server sets the pace itself."""
    return closed or (acked_per_s or 0) >= LEAST_SHARE * (offered_per_s or 0)
