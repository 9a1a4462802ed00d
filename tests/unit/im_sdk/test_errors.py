import pickle

import pytest

from im_sdk import _errors as errors
from im_sdk._error_table import KINDS, RETRYABLE, ErrorNumber


@pytest.mark.parametrize("number", list(ErrorNumber))
def test_every_number_has_a_class_by_its_kind(number: ErrorNumber) -> None:
    error = errors.from_table(number, "because")
    assert type(error).__name__.removesuffix("Error").upper() == KINDS[number].replace("_", "")
    assert error.retryable == (number in RETRYABLE)
    assert (error.number, error.name) == (number, number.name)


@pytest.mark.parametrize(("retryable", "kind"), [(True, errors.UnavailableError), (False, errors.InternalError)])
def test_a_number_of_a_newer_server_goes_by_what_can_be_done(retryable: bool, kind: type) -> None:
    error = errors.from_wire(9_999, "NEW", "new", retryable=retryable, retry_after_ms=3)
    assert type(error) is kind
    assert (error.number, error.name, error.retry_after_ms) == (9_999, "NEW", 3)


def test_errors_cross_process_borders() -> None:
    error = errors.from_wire(5001, "RATE_LIMITED", "slow down", retryable=True, retry_after_ms=70)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is errors.ExhaustedError
    assert vars(copy) == vars(error)
    assert str(copy) == "RATE_LIMITED: slow down"
    assert repr(copy) == "ExhaustedError(5001, 'RATE_LIMITED', 'slow down')"


def test_every_error_is_an_im_error() -> None:
    assert issubclass(errors.OutboxFullError, errors.ExhaustedError)
    assert issubclass(errors.UnreachableError, errors.UnavailableError)
    assert issubclass(errors.ClosedError, errors.ImError)
