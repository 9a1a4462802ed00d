"""A scenario's settings, told once: the command line, its help and the reference page come from these fields."""

from dataclasses import dataclass
from typing import Annotated, Final

from im_bench.load.schedule import Arrivals

MOST_PER_S: Final = 1_000_000
"""What may be asked for in a second: far above what a generator can offer, so that a slip of the finger is one."""
MOST_S: Final = 86_400
"""How long anything may take: a day, since a longer load is better measured as several runs."""
MOST_PEOPLE: Final = 1_000_000
"""As many as `im bench prepare` makes."""


@dataclass(frozen=True, slots=True)
class Option:
    """What a settings field says of itself, in its `Annotated` type."""

    help: str
    min: float | None = None
    max: float | None = None
    is_duration: bool = False
    """Counted in seconds; whoever sets it may write a unit: `30s`, `500ms`, `2m`."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every scenario can be told."""

    seed: Annotated[int, Option("Makes a run repeatable: who sends when, and to whom.")] = 1


@dataclass(frozen=True, kw_only=True)
class LoadSettings(Settings):
    """What a scenario can be told that drives at a rate."""

    rate: Annotated[
        float, Option("What all together offer a second, once the ramp is over.", min=0.01, max=MOST_PER_S)
    ] = 500.0
    duration: Annotated[float, Option("Seconds measured.", min=0.1, max=MOST_S, is_duration=True)] = 20.0
    warm_up: Annotated[float, Option("Seconds at full rate before measuring.", min=0, max=MOST_S, is_duration=True)] = (
        3.0
    )
    ramp: Annotated[
        float,
        Option("Seconds in which the rate rises to full, before the warm-up.", min=0, max=MOST_S, is_duration=True),
    ] = 0.0
    arrivals: Annotated[
        Arrivals, Option("`constant`: evenly spaced. `poisson`: as people do who know nothing of each other.")
    ] = Arrivals.CONSTANT


@dataclass(frozen=True, kw_only=True)
class TalkSettings(LoadSettings):
    """What a scenario can be told in which people send messages."""

    size: Annotated[int, Option("Bytes of text added to each message.", min=0, max=8_000)] = 100
    drain: Annotated[
        float,
        Option(
            "Seconds at most that the last answers and the last deliveries are waited for.",
            min=0.1,
            max=MOST_S,
            is_duration=True,
        ),
    ] = 15.0
    closed: Annotated[
        bool,
        Option(
            "Closed loop: every sender has always one under way, and --rate means nothing. That finds the greatest "
            "throughput; its latencies are not those of users who send when they like."
        ),
    ] = False
