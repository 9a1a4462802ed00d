from datetime import UTC, timedelta, timezone

import pytest

from im_cli.chat import times
from tests.chat_support.values import MINUTE_MS, NOON_MS

DAY_MS = 24 * 60 * MINUTE_MS


def test_a_clock_is_of_the_zone() -> None:
    assert times.clock(NOON_MS, UTC) == "12:00"
    assert times.clock(NOON_MS, timezone(timedelta(hours=5, minutes=30))) == "17:30"


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, "12:00"), (-1, "12:00"), (1, "Yesterday"), (2, "Mon"), (6, "Thu"), (7, "25 Feb"), (90, "Dec 2025")],
)
def test_a_list_says_times_in_few_cells(days: int, expected: str) -> None:
    assert times.in_list(NOON_MS - days * DAY_MS, NOON_MS, UTC) == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(0, "Today"), (1, "Yesterday"), (2, "Monday 2 March"), (90, "4 December 2025")]
)
def test_a_divider_says_the_day(days: int, expected: str) -> None:
    assert times.day_title(NOON_MS - days * DAY_MS, NOON_MS, UTC) == expected


def test_midnight_divides_days_in_the_zone() -> None:
    east = timezone(timedelta(hours=13))
    assert times.day(NOON_MS, UTC) != times.day(NOON_MS, east)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(-1.0, "a moment"), (0.2, "a moment"), (1, "1 second"), (7.4, "7 seconds"), (60, "1 minute"), (130, "2 minutes")],
)
def test_a_wait_in_words(count: float, expected: str) -> None:
    assert times.seconds(count) == expected
