"""A failed request on the wire and back."""

from im_infra import errors
from im_infra.errors import ImError, NotStartedError
from im_proto.rpc.v1 import frame_pb2


def write(error: ImError, failure: frame_pb2.Failure) -> None:
    """Say `error` in `failure`."""
    failure.number = error.reason.number
    failure.message = error.message
    failure.retry_after_ms = error.retry_after_ms
    failure.detail = error.detail
    failure.not_started = isinstance(error, NotStartedError)


def read(failure: frame_pb2.Failure) -> ImError:
    """What `failure` says; a number we do not know becomes INTERNAL."""
    return errors.from_number(
        failure.number,
        failure.message,
        retry_after_ms=failure.retry_after_ms,
        detail=failure.detail,
        not_started=failure.not_started,
    )
