"""What a servicer sees of an in-process call."""

import time
from collections.abc import Sequence
from typing import Final, NoReturn

import grpc
from grpc.aio import AbortError, AioRpcError, Metadata

from im_infra.rpc.in_process.direct import DirectEnd

MetadataPairs = Sequence[tuple[str, str | bytes]]
_PEER: Final = "in-process:"


class Status:
    """How a call ended."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.OK
        self.details = ""
        self.trailing_metadata: MetadataPairs = ()

    def error(self) -> AioRpcError:
        """What the caller is told when it failed."""
        return AioRpcError(self.code, Metadata(), Metadata(*self.trailing_metadata), self.details, None)


class InProcessContext:
    """The part of `grpc.aio.ServicerContext` that servicers use.

    Args:
        metadata: what the caller sent along.
        timeout_s: seconds the caller waits; None: for ever.
        duplex: our side of a stream's directions; None: the call has none.
    """

    def __init__(
        self,
        *,
        metadata: MetadataPairs | None,
        timeout_s: float | None = None,
        duplex: DirectEnd | None = None,
    ) -> None:
        self.status = Status()
        self._metadata = tuple(metadata or ())
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self.duplex = duplex
        """Our side of a stream's directions."""

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: MetadataPairs = ()) -> NoReturn:
        """End the call with an error."""
        self.status.code = code
        self.status.details = details
        self.status.trailing_metadata = tuple(trailing_metadata) or self.status.trailing_metadata
        raise AbortError

    def set_code(self, code: grpc.StatusCode) -> None:
        """The status the call ends with when the servicer returns."""
        self.status.code = code

    def set_details(self, details: str) -> None:
        """The words to it."""
        self.status.details = details

    def set_trailing_metadata(self, trailing_metadata: MetadataPairs) -> None:
        """What goes with the status."""
        self.status.trailing_metadata = tuple(trailing_metadata)

    def invocation_metadata(self) -> MetadataPairs:
        """What the caller sent along."""
        return self._metadata

    def time_remaining(self) -> float | None:
        """Seconds of the caller's deadline; None: there is none."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def peer(self) -> str:
        """Who calls, as gRPC words addresses."""
        return _PEER
