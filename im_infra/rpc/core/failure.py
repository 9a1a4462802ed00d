"""A failed request as a value and back."""

from im_infra import errors
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core.frame import Failure


def write(error: ImError) -> Failure:
    """What `error` says."""
    return Failure(
        error.reason.number, error.message, error.retry_after_ms, isinstance(error, NotStartedError), error.detail
    )


def read(failure: Failure) -> ImError:
    """What `failure` says; a number we do not know becomes INTERNAL."""
    return errors.from_number(
        failure.number,
        failure.message,
        retry_after_ms=failure.retry_after_ms,
        detail=failure.detail,
        not_started=failure.not_started,
    )
