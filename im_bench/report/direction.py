"""Which figures are the better the larger they are; all others cost something, or are a fault."""

from typing import Final

RATES: Final = ("offered", "acked", "delivered")
"""Things a second."""
HIGHEST: Final = "highest/s"
"""What a search found."""
MORE_IS_BETTER: Final = frozenset(
    {*RATES, *(f"{rate}/s" for rate in RATES), HIGHEST, "back", "deliveries_per_gateway_cpu_s"}
)
"""By the names that results, expectations and comparisons give them."""


def more_is_better(figure: str) -> bool:
    """Whether a target for it is a least, and growth an improvement."""
    return figure in MORE_IS_BETTER
