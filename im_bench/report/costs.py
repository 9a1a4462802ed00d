"""What each thing that a run did cost the server."""

from collections.abc import Mapping
from typing import Any


def cpu_us(run: Mapping[str, Any], of: str = "acked") -> dict[str, float]:
    """Microseconds of CPU by process, for each thing done in the measured window.

    Args:
        run: a result as `Result.as_json` gives it.
        of: what is counted: `acked` (messages, returns, pages) or `delivered`.

    Returns:
        Nothing where the server's processes were not looked into, or nothing was done.
    """
    done = (run[f"{of}_per_s"] or 0) * run["settings"].get("duration", 0)
    return {name: use["cpu_s"] / done * 1e6 for name, use in (run["resources"] or {}).items() if done}
