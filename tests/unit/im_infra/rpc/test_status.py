import grpc
import pytest

from im_infra import error_table
from im_infra.error_kind import Kind
from im_infra.error_table import Reason
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc import status


def there_and_back(error: ImError) -> ImError:
    code, details, trailing = status.to_rpc(error)
    return status.from_rpc(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), details, None))


@pytest.mark.parametrize("reason", error_table.REASONS, ids=lambda reason: reason.name)
def test_every_reason_comes_back_whole(reason: Reason) -> None:
    error = there_and_back(ImError(reason, "words", retry_after_ms=9, detail=b"\x00\xff"))
    assert (error.reason, error.message, error.retry_after_ms, error.detail) == (reason, "words", 9, b"\x00\xff")
    assert not isinstance(error, NotStartedError)


def test_a_request_that_was_not_started_says_so() -> None:
    assert isinstance(there_and_back(NotStartedError()), NotStartedError)


def test_every_kind_has_a_status() -> None:
    assert set(status.STATUS_OF_KIND) == set(Kind)


def test_a_deadline_has_its_own_status() -> None:
    assert status.to_rpc(ImError(error_table.DEADLINE_EXCEEDED)).code is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, error_table.UNAVAILABLE),
        (grpc.StatusCode.CANCELLED, error_table.UNAVAILABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, error_table.DEADLINE_EXCEEDED),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, error_table.OVERLOADED),
        (grpc.StatusCode.UNIMPLEMENTED, error_table.INTERNAL),
        (grpc.StatusCode.UNKNOWN, error_table.INTERNAL),
    ],
)
def test_a_failure_that_grpc_made_means_what_its_status_means(code: grpc.StatusCode, reason: Reason) -> None:
    made = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "words", None)
    error = status.from_rpc(made)
    assert error.reason is reason
    assert error.message == f"{code.name}: words"
