"""What one side of a stream sends at a time, as a plain value: the same within a process and on the wire.

Whoever is given a frame owns it: its maker does not touch it any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from im_infra.rpc.peer import Peer


class Failure(NamedTuple):
    """Why a request has no answer: see `im.rpc.v1.Failure`."""

    number: int
    message: str
    retry_after_ms: int = 0
    not_started: bool = False
    detail: bytes = b""


@dataclass(slots=True)
class Frame:
    """See `im.rpc.v1.Frame`."""

    peer: Peer | None = None
    first_request: int = 0
    requests: Sequence[tuple[int, bytes]] = ()
    """Milliseconds left of the deadline, and the body."""
    answers: Sequence[tuple[int, bytes | Failure]] = ()
    """The number of the request, and what became of it."""
    first_push: int = 0
    pushes: Sequence[bytes] = ()
    acknowledged_push: int = 0
    credit: int = 0
    draining: bool = False
    leaves_some: bool = False
    """It is full, and more waits for the next one. Known to its writer, and not on the wire."""

    @property
    def items(self) -> int:
        """Requests, answers and pushes together."""
        return len(self.requests) + len(self.answers) + len(self.pushes)
