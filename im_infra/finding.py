"""What somebody who looks at an installation finds, and what to do about it."""

from dataclasses import dataclass
from enum import Enum


class Grade(Enum):
    """How a finding is meant."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    grade: Grade
    subject: str
    told: str
    advice: str = ""
