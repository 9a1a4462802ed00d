"""Errors of unary calls: ImError to a gRPC status with `google.rpc.ErrorInfo`, and back."""

import base64
from typing import Final, NamedTuple, cast

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2  # type: ignore[import-untyped]  # it has no py.typed

from im_infra import error_table, errors
from im_infra.error_kind import Kind
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.in_process.context import MetadataPairs

DOMAIN: Final = "im"
_DETAILS_KEY: Final = "grpc-status-details-bin"

STATUS_OF_KIND: Final = {
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.CONFLICT: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
}
"""The one table of kinds; DEADLINE_EXCEEDED has a status of its own besides."""

_REASON_OF_STATUS: Final = {
    grpc.StatusCode.DEADLINE_EXCEEDED: error_table.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNAVAILABLE: error_table.UNAVAILABLE,
    grpc.StatusCode.CANCELLED: error_table.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: error_table.OVERLOADED,
}
"""For failures that gRPC made, not a servicer; the rest are bugs: INTERNAL."""


class RpcStatus(NamedTuple):
    """What `context.abort` takes."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: MetadataPairs


def to_rpc(error: ImError) -> RpcStatus:
    """How an error is said to a gRPC peer."""
    if error.reason is error_table.DEADLINE_EXCEEDED:
        code = grpc.StatusCode.DEADLINE_EXCEEDED
    else:
        code = STATUS_OF_KIND[error.kind]
    info = error_details_pb2.ErrorInfo(reason=error.reason.name, domain=DOMAIN)
    info.metadata["number"] = str(error.reason.number)
    if error.retry_after_ms:
        info.metadata["retry_after_ms"] = str(error.retry_after_ms)
    if isinstance(error, NotStartedError):
        info.metadata["not_started"] = "true"
    if error.detail:
        info.metadata["detail"] = base64.b64encode(error.detail).decode()
    status = status_pb2.Status(code=code_pb2.Code.Value(code.name), message=error.message)
    status.details.add().Pack(info)
    return RpcStatus(code, error.message, ((_DETAILS_KEY, status.SerializeToString()),))


def from_rpc(error: grpc.aio.AioRpcError) -> ImError:
    """What a failed call meant; without our ErrorInfo, what its status means."""
    trailing = cast("MetadataPairs", error.trailing_metadata() or ())
    for key, value in trailing:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            info = _find_info(value)
            if info is not None:
                return _from_info(info, error.details() or "")
    reason = _REASON_OF_STATUS.get(error.code(), error_table.INTERNAL)
    return ImError(reason, f"{error.code().name}: {error.details()}")


def _find_info(details: bytes) -> error_details_pb2.ErrorInfo | None:
    for packed in status_pb2.Status.FromString(details).details:
        info = error_details_pb2.ErrorInfo()
        if packed.Unpack(info) and info.domain == DOMAIN:
            return info
    return None


def _from_info(info: error_details_pb2.ErrorInfo, message: str) -> ImError:
    said = info.metadata
    return errors.from_number(
        int(said.get("number", "0")),
        message,
        retry_after_ms=int(said.get("retry_after_ms", "0")),
        detail=base64.b64decode(said.get("detail", "")),
        not_started="not_started" in said,
    )
