"""What the coordinator and the generator processes tell each other, pickled: both are this program."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from im_bench.adapters.abstract import Endpoint
from im_bench.load.crew import Person
from im_bench.load.schedule import Part
from im_bench.load.window import Window
from im_bench.measure.tally import Second
from im_bench.scenarios.option import Settings
from im_bench.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Assignment:
    """To a process, first: who it is and what the run does."""

    run: str
    scenario: str
    settings: Settings
    adapter: str
    endpoint: Endpoint
    part: Part
    people: Sequence[Person]
    source_addresses: Sequence[str]


@dataclass(frozen=True, slots=True)
class BeginStep:
    """To a process: take this step."""

    name: str
    window: Window
    """When the step begins, what is measured of it, when it ends; without a schedule it has no end."""
    told: list[Any]


@dataclass(frozen=True, slots=True)
class Stop:
    """To a process: end the load, take the remaining steps."""


@dataclass(frozen=True, slots=True)
class SecondEnded:
    """To the coordinator: a second of a step."""

    step: str
    number: int
    """Counted from the step's beginning, the same in all processes."""
    second: Second


@dataclass(frozen=True, slots=True)
class Progressed:
    """To the coordinator: how far a step is."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class StepEnded:
    """To the coordinator: the step is taken; the first one says that the process is there."""

    returned: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """To the coordinator: the run cannot go on."""

    reason: str
    expected: bool
    """Something that a person can mend; otherwise a bug, and the reason is a traceback."""
    trouble: Trouble = Trouble.OTHER
