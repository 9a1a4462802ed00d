import pytest

from im_infra.bus.abstract import Record
from im_infra.bus.retry import backoff_s, describe_error, next_stretch


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
