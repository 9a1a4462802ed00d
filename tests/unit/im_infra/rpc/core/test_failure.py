import pytest

from im_infra import error_table
from im_infra.error_table import Reason
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core import failure
from im_infra.rpc.core.frame import Failure


@pytest.mark.parametrize("reason", error_table.REASONS, ids=lambda reason: reason.name)
def test_every_reason_comes_back_whole(reason: Reason) -> None:
    error = failure.read(failure.write(ImError(reason, "words", retry_after_ms=9, detail=b"\x00d")))
    assert (error.reason, error.message, error.retry_after_ms, error.detail) == (reason, "words", 9, b"\x00d")
    assert not isinstance(error, NotStartedError)


def test_a_request_that_was_not_started_says_so() -> None:
    error = failure.read(failure.write(NotStartedError("draining")))
    assert isinstance(error, NotStartedError)
    assert error.message == "draining"


def test_a_number_of_a_newer_peer_becomes_internal() -> None:
    error = failure.read(Failure(999_999, "words"))
    assert error.reason is error_table.INTERNAL
    assert error.message == "words"
