import pytest

from im_infra import error_table
from im_infra.bus.abstract import Record
from im_infra.bus.retry import Patience, backoff_s, describe_error, next_stretch
from im_infra.bus.settings import BusSettings
from im_infra.errors import ImError


def records(*attempts: int) -> list[Record]:
    return [Record("t", b"k", b"%d" % index, attempts=count) for index, count in enumerate(attempts)]


@pytest.mark.parametrize(
    ("attempts", "taken"),
    [((), 0), ((0,), 1), ((0, 0, 0), 3), ((1, 0, 0), 1), ((2, 1), 1), ((0, 0, 1, 0), 2)],
)
def test_fresh_records_go_together_and_tried_ones_alone(attempts: tuple[int, ...], taken: int) -> None:
    due = records(*attempts)
    assert next_stretch(due) == due[:taken]


def test_each_wait_is_five_times_the_last() -> None:
    assert [backoff_s(attempts, first_ms=200, jitter=0) for attempts in (1, 2, 3)] == [0.2, 1.0, 5.0]


def test_jitter_takes_off_up_to_half() -> None:
    assert backoff_s(1, first_ms=200, jitter=1) == 0.1


def test_an_error_is_kept_with_its_type_and_bounded() -> None:
    assert describe_error(ValueError("broken")) == "ValueError: broken"
    assert len(describe_error(ValueError("x" * 5_000))) == 1_000


def test_a_wait_never_exceeds_five_seconds() -> None:
    assert backoff_s(30, first_ms=200, jitter=0) == 5.0


AWAY = ImError(error_table.UNAVAILABLE)
SETTINGS = BusSettings(max_tries=3, first_backoff_ms=200, patience_s=10)


def test_three_errors_of_its_own_are_the_end() -> None:
    patience = Patience(SETTINGS)
    assert [patience.ends(ValueError()) for _ in range(3)] == [False, False, True]
    assert patience.attempts == 3


def test_earlier_hand_outs_count() -> None:
    assert Patience(SETTINGS, attempts=2).ends(ValueError())


def test_what_is_away_is_waited_for_and_not_for_ever() -> None:
    """0.2 + 1 + 5 + 5 seconds are more than ten; attempts count all of it, for people."""
    patience = Patience(SETTINGS)
    tries = 0
    while not patience.ends(AWAY):
        tries += 1
        patience.wait_s(0)
    assert (tries, patience.attempts) == (4, 5)


def test_being_away_is_not_held_against_a_record() -> None:
    patience = Patience(SETTINGS)
    ends = [patience.ends(error) for error in (AWAY, ValueError(), AWAY, ValueError(), AWAY, ValueError())]
    assert ends == [False] * 5 + [True]
