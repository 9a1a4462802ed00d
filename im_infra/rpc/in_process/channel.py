"""The calling side within a process."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self

import grpc

from im_infra.rpc.in_process.calls import InProcessStream, call_unary
from im_infra.rpc.in_process.context import MetadataPairs
from im_infra.rpc.in_process.server import InProcessServer


class InProcessChannel(grpc.aio.Channel):
    """Carries calls to an `InProcessServer`; what generated stubs need of a channel."""

    def __init__(self, server: InProcessServer) -> None:
        self._server = server

    def unary_unary(  # type: ignore[override]  # wider than the stubs
        self,
        method: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        **_: object,
    ) -> Any:  # noqa: ANN401 - a multi-callable, whose generics the stubs do not tell
        """Called by generated code."""

        async def call(
            request: object,
            *,
            timeout: float | None = None,  # noqa: ASYNC109 - gRPC's signature
            metadata: MetadataPairs | None = None,
        ) -> Any:  # noqa: ANN401 - the method's response
            body = await call_unary(
                self._server, method, request_serializer(request), timeout_s=timeout, metadata=metadata
            )
            return response_deserializer(body)

        return call

    def stream_stream(self, method: str, *_: object, **__: object) -> Any:  # noqa: ANN401 - as above
        """Called by generated code."""

        def call(request_iterator: None = None, *, metadata: MetadataPairs | None = None) -> InProcessStream:
            del request_iterator  # frames are written
            return InProcessStream(self._server, method, metadata=metadata)

        return call

    def stream_unary(self, method: str, *_: object, **__: object) -> NoReturn:
        """Not offered.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"{method}: calls that stream in one direction are not offered")

    def unary_stream(self, method: str, *_: object, **__: object) -> NoReturn:
        """Not offered; raises NotImplementedError."""
        self.stream_unary(method)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT001, FBT002 - gRPC's signature
        """Ready while the server serves."""
        del try_to_connect
        return grpc.ChannelConnectivity.READY if self._server.serving else grpc.ChannelConnectivity.SHUTDOWN

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the server stops."""
        if last_observed_state is self.get_state():
            await self._server.wait_for_termination()

    async def channel_ready(self) -> None:
        """It is."""

    async def close(self, grace: float | None = None) -> None:
        """Nothing is held open: calls belong to their callers."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
