"""The promise of a scenario: one kind of load.

A scenario is a list of steps that all generator processes take together: none begins a step before every process has
ended the one before. A step is a method with the step's name. What a process returns from a step, all processes are
told at the next one; so one of them can make a group and the others learn its id, and what was acked here can be looked
for there.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from im_bench.load.crew import Crew
from im_bench.report.direction import RATES
from im_bench.report.expectations import COUNTS, Vocabulary
from im_bench.report.record import Record
from im_bench.report.result import Result
from im_bench.scenarios.option import LoadSettings, Settings

S = TypeVar("S", bound=Settings)
Told = list[Any]
"""What each process returned from the step before, in the order of the processes."""
StepMethod = Callable[[Told], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that all processes do at the same time."""

    name: str
    """Also the name of the scenario's method that does it."""
    label: str
    """What the progress display says."""
    drives: bool = False
    """It offers load by a schedule (`LoadSettings`): the result's rates are those of its measured window."""


class Kind(StrEnum):
    """Which accounts a scenario needs."""

    REGISTERED = "registered"
    GUEST = "guest"


@dataclass(frozen=True, slots=True)
class People:
    """Who takes part."""

    count: int
    kind: Kind = Kind.REGISTERED
    together: int = 1
    """So many neighbours are never dealt to different processes: 2 for pairs."""
    most_workers: int | None = None
    """Generator processes that can have a part of the load, where that is not one for each group of neighbours."""


class Scenario(ABC, Generic[S]):
    """One process's share of a load.

    The first paragraph of a subclass's docstring says what it does, the second what it reports: both are its help.

    Args:
        crew: this process's people and instruments.
        settings: of the run.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[Settings]]
    steps: ClassVar[tuple[Step, ...]]
    latencies: ClassVar[tuple[str, ...]]
    """What it times, by name."""
    figures: ClassVar[tuple[str, ...]] = ()
    """What only it measures (`Result.measured`); `*` stands for the name of a process of the server."""
    accounts_for: ClassVar[bool] = False
    """It delivers messages, and accounts for each of them."""
    any_adapter: ClassVar[bool] = False
    """It needs nothing but the adapters' promise; otherwise it speaks our protocol."""

    def __init__(self, crew: Crew, settings: S) -> None:
        self.crew = crew
        self.settings = settings

    @classmethod
    @abstractmethod
    def people(cls, settings: S) -> People:
        """Who takes part."""

    @classmethod
    def problem(cls, settings: S) -> str | None:  # noqa: ARG003 - most have none
        """What is wrong with settings that are fine one by one."""
        return None

    @classmethod
    def vocabulary(cls, *, local: bool) -> Vocabulary:
        """What may be expected of a run.

        Args:
            local: the server's processes are looked into; those of a remote one are not.
        """
        rates = RATES if cls.accounts_for else RATES[:2] if issubclass(cls.settings_type, LoadSettings) else ()
        figures = tuple(name for name in cls.figures if local or "*" not in name)
        return Vocabulary(cls.latencies, (*rates, *(COUNTS if cls.accounts_for else ()), *figures))

    @classmethod
    def conclude(cls, settings: S, record: Record, result: Result) -> None:
        """Add what only this scenario measures; runs in the coordinator, after the last step."""

    def method(self, step: Step) -> StepMethod:
        """What does a step."""
        method: StepMethod = getattr(self, step.name)
        return method


def duration_of(settings: Settings) -> float | None:
    """Seconds that a drive takes as a whole; None when the scenario does not drive at a rate."""
    if not isinstance(settings, LoadSettings):
        return None
    return settings.ramp + settings.warm_up + settings.duration
