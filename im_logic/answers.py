"""How an operation's answer goes back to the gateway: as a ServerFrame, ready but for its request_id."""

from collections.abc import Coroutine
from typing import Any, Protocol

from im_infra.errors import ImError
from im_proto.v1.frame_pb2 import ServerFrame


class Responder(Protocol):
    """Where the one answer of a request goes."""

    def answer(self, body: bytes) -> None:
        """Answer it."""
        ...

    def answer_along(self, body: bytes) -> None:
        """Answer it, some time: nobody waits."""
        ...

    def fail(self, error: ImError) -> None:
        """Refuse it."""
        ...

    def run(self, coroutine: Coroutine[Any, Any, bytes], *, along: bool = False) -> None:
        """Answer it with what the coroutine returns or raises; `along`: as `answer_along`."""
        ...


def encode(frame: ServerFrame) -> bytes:
    """The answer's bytes; the gateway puts the client's request_id in front."""
    return frame.SerializeToString()
