"""What sessions need of the other rooms and of repo."""

from dataclasses import dataclass
from typing import Protocol

from im_proto.v1.sync_pb2 import SyncRequest, SyncResponse


@dataclass(frozen=True, slots=True)
class LargeMembership:
    """The open window of a user in a large conversation."""

    conversation_id: int
    from_seq: int
    """The first visible seq."""
    member_version: int


class LargeConversations(Protocol):
    """Where a user is among many."""

    async def world_id(self) -> int:
        """The world room, or 0 where there is none; raises ImError(UNAVAILABLE)."""
        ...

    async def list_large(self, user_id: int) -> list[LargeMembership]:
        """The large conversations that the user is in, the world room too; raises ImError(UNAVAILABLE)."""
        ...


class Sync(Protocol):
    """The room `sync`. Its messages pass through here unread."""

    async def sync(self, user_id: int, request: SyncRequest) -> SyncResponse:
        """What changed for the user since; raises ImError."""
        ...
