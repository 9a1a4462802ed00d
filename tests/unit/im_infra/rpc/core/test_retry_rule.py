import pytest

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core.backoff import Backoff
from im_infra.rpc.core.retry_rule import wait_before_retry

BACKOFF = Backoff(first_s=0.1, max_s=1.0)


def wait(error: ImError, *, failures: int = 0, left_s: float = 10.0) -> float | None:
    return wait_before_retry(error, failures=failures, left_s=left_s, backoff=BACKOFF, chance=0.5)


def test_an_error_that_is_final_is_given_up() -> None:
    assert wait(ImError(error_table.MUTED)) is None


def test_waits_grow() -> None:
    error = ImError(error_table.UNAVAILABLE)
    assert [wait(error, failures=failures) for failures in range(3)] == pytest.approx([0.05, 0.1, 0.2])


def test_the_errors_own_advice_is_respected() -> None:
    assert wait(ImError(error_table.OVERLOADED, retry_after_ms=700)) == 0.7


def test_what_was_not_started_goes_on_at_once_but_only_once() -> None:
    assert wait(NotStartedError()) == 0.0
    assert wait(NotStartedError(), failures=1) == pytest.approx(0.1)


@pytest.mark.parametrize("error", [ImError(error_table.UNAVAILABLE), NotStartedError()])
def test_a_deadline_that_leaves_no_time_ends_it(error: ImError) -> None:
    assert wait(error, left_s=0.0) is None


def test_a_wait_longer_than_the_deadline_is_not_begun() -> None:
    assert wait(ImError(error_table.OVERLOADED, retry_after_ms=700), left_s=0.6) is None
