"""Gateways as logic sees them: pushes that are kept, and acknowledged when the test says so."""

from collections.abc import Callable, Coroutine
from typing import Any

from im_infra.aio import spawn
from im_infra.errors import ImError
from im_infra.rpc.peer import Peer
from im_proto.gateway.v1.gateway_pb2 import GatewayPush
from im_proto.v1.frame_pb2 import ServerFrame


class KeptStream:
    """A gateway's stream."""

    def __init__(self, node_id: str = "gw", boot_id: str = "b1", *, acknowledge: bool = True) -> None:
        self.peer = Peer(node_id, boot_id)
        self.pushes: list[GatewayPush] = []
        self.waiting: list[Callable[[], None]] = []
        self.acknowledge = acknowledge
        self.full = False

    def push(self, body: bytes, on_acknowledged: Callable[[], None] | None = None) -> bool:
        """Keep a push."""
        if self.full:
            return False
        self.pushes.append(GatewayPush.FromString(body))
        if on_acknowledged is not None:
            if self.acknowledge:
                on_acknowledged()
            else:
                self.waiting.append(on_acknowledged)
        return True

    def frames(self) -> list[ServerFrame]:
        """What was delivered in full."""
        return [ServerFrame.FromString(push.deliver.frame) for push in self.pushes if push.deliver.frame]


class KeptResponder:
    """A responder that keeps its one answer."""

    def __init__(self) -> None:
        self.frame: ServerFrame | None = None
        self.error: ImError | None = None
        self.count = 0
        self.nobody_waits = False

    def answer(self, body: bytes) -> None:
        """It succeeded."""
        self.count += 1
        self.frame = ServerFrame.FromString(body)

    def answer_along(self, body: bytes) -> None:
        """It succeeded, and nobody waits."""
        self.nobody_waits = True
        self.answer(body)

    def fail(self, error: ImError) -> None:
        """It failed."""
        self.count += 1
        self.error = error

    def run(self, coroutine: Coroutine[Any, Any, bytes], *, along: bool = False) -> None:
        """Answer with a coroutine's result."""
        spawn(self._finish(coroutine, self.answer_along if along else self.answer), name="test.request")

    async def _finish(self, coroutine: Coroutine[Any, Any, bytes], answer: Callable[[bytes], None]) -> None:
        try:
            answer(await coroutine)
        except ImError as error:
            self.fail(error)
