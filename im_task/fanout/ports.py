"""What fan-out needs from outside."""

from collections.abc import Sequence
from typing import Protocol

from im_proto.gateway.v1.gateway_pb2 import FanOut
from im_proto.repo.v1.stream_pb2 import Entries
from im_proto.route.v1.route_pb2 import Interest


class EntryReader(Protocol):
    """Reads what a record does not carry."""

    async def read_entries(self, conversation_id: int, from_seq: int, to_seq: int) -> Entries:
        """Entries `from_seq` to `to_seq`, unclamped.

        Raises:
            ImError: UNAVAILABLE when repo is away.
        """
        ...


class InterestReader(Protocol):
    """Tells which gateways have members connected, or may have."""

    async def find(self, conversation_id: int) -> Sequence[Interest]:
        """Gateways with an unexpired interest, and those that may have one without our knowing."""
        ...


class Gateways(Protocol):
    """Reaches gateways."""

    async def fan_out(self, interest: Interest, fan_out: FanOut) -> bool:
        """Hand entries to one gateway; returns once they are in its local queues, or will be made up for by a check.

        False: that boot of the gateway is gone, and its connections with it.

        Raises:
            ImError: it refused them.
        """
        ...
