"""The answering side within a process."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import grpc


class _Details(grpc.HandlerCallDetails):
    """What a generic handler is asked with."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.invocation_metadata = ()


class InProcessServer(grpc.aio.Server):
    """Takes servicers by the generated `add_…_to_server`, and hands their methods to in-process channels.

    It serves from its making until `stop`. It has no port.
    """

    def __init__(self) -> None:
        self._generic: list[grpc.GenericRpcHandler[Any, Any]] = []
        self._found: dict[str, Any] = {}
        self._calls: set[asyncio.Task[Any]] = set()
        self._stopped = asyncio.Event()

    @property
    def serving(self) -> bool:
        """It takes calls."""
        return not self._stopped.is_set()

    def find(self, method: str) -> Any | None:  # noqa: ANN401 - grpc.RpcMethodHandler, whose stub has no members
        """The handler of `/package.Service/Method`, or None."""
        handler = self._found.get(method)
        if handler is None:
            for generic in self._generic:
                handler = generic.service(_Details(method))
                if handler is not None:
                    self._found[method] = handler
                    break
        return handler

    def hold(self, call: asyncio.Task[Any]) -> None:
        """Remember a stream until it ends, so that `stop` can end it."""
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    def add_generic_rpc_handlers(self, generic_rpc_handlers: "Iterable[grpc.GenericRpcHandler[Any, Any]]") -> None:
        """Called by generated code."""
        self._generic.extend(generic_rpc_handlers)

    def add_registered_method_handlers(self, service_name: str, method_handlers: Mapping[str, Any]) -> None:
        """Called by generated code with what `add_generic_rpc_handlers` was given already."""

    def add_insecure_port(self, address: str) -> int:
        """There is no port.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"an in-process server does not listen on {address}")

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """There is no port; raises ValueError."""
        del server_credentials
        return self.add_insecure_port(address)

    async def start(self) -> None:
        """It serves already."""

    async def stop(self, grace: float | None = None) -> None:
        """Take no more calls, wait up to `grace` seconds for open streams, cancel the rest."""
        self._stopped.set()
        calls = set(self._calls)
        if calls and grace:
            await asyncio.wait(calls, timeout=grace)
        for call in calls:
            call.cancel()
        if calls:
            await asyncio.wait(calls)

    async def wait_for_termination(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - gRPC's signature
        """Wait until `stop`; True: the time ran out first."""
        try:
            async with asyncio.timeout(timeout):
                await self._stopped.wait()
        except TimeoutError:
            return True
        return False
