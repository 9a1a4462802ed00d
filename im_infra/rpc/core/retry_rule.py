"""Whether to try again, and when."""

from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core.backoff import Backoff


def wait_before_retry(error: ImError, *, failures: int, left_s: float, backoff: Backoff, chance: float) -> float | None:
    """Seconds to wait before the next try; None: give up with `error`.

    Args:
        error: how the last try failed.
        failures: tries that failed before it.
        left_s: seconds until the caller's deadline.
        backoff: how waits grow.
        chance: random in [0, 1).
    """
    if not error.retryable:
        return None
    if failures == 0 and isinstance(error, NotStartedError):
        return 0.0 if left_s > 0 else None
    wait_s = max(backoff.delay(failures, chance), error.retry_after_ms / 1000)
    return wait_s if wait_s < left_s else None
