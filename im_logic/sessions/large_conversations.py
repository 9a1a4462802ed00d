"""A user's large conversations: repo's list, and the world room."""

from typing import Final

from im_infra.rpc.retry import retry
from im_infra.rpc.service_pool import ServicePool
from im_infra.rpc.unary import call_unary
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import Membership
from im_logic.sessions.ports import LargeMembership
from im_logic.world import World
from im_proto.repo.v1.conversation_pb2 import ListLargeRequest
from im_proto.repo.v1.conversation_pb2_grpc import ConversationServiceStub

# A ban from the world room made this long ago is surely seen; a later one reaches the gateway as a change.
_WORLD_MAX_AGE_S: Final = 1.0


class RepoLargeConversations:
    """`LargeConversations` over repo.

    The world room keeps no row of its ordinary members, so that repo's list leaves it out.

    Args:
        repos: repo's living nodes.
        world: the world room's id.
        conversations: its state, with the user's row if there is one.
        timeout_s: deadline of one call, in seconds.
    """

    def __init__(self, repos: ServicePool, world: World, conversations: ConversationCache, *, timeout_s: float) -> None:
        self._repos = repos
        self._world = world
        self._conversations = conversations
        self._timeout_s = timeout_s

    async def world_id(self) -> int:
        """The world room, or 0."""
        return await self._world.ensure()

    async def list_large(self, user_id: int) -> list[LargeMembership]:
        """All of them."""
        request = ListLargeRequest(user_id=user_id)
        response = await retry(
            lambda left_s: call_unary(self._repos.stub(ConversationServiceStub).ListLarge, request, timeout_s=left_s),
            timeout_s=self._timeout_s,
        )
        world_id = await self._world.ensure()
        found = [
            LargeMembership(member.conversation_id, member.from_seq, member.member_version)
            for member in response.members
            if member.conversation_id != world_id
        ]
        return found + await self._in_world(world_id, user_id)

    async def _in_world(self, world_id: int, user_id: int) -> list[LargeMembership]:
        if not world_id:
            return []
        world = await self._conversations.fetch(world_id, user_id, max_age_s=_WORLD_MAX_AGE_S)
        place = world.place(user_id)
        open_windows = [first for first, last in place.windows if not last]
        if place.state != Membership.IN or not open_windows:
            return []
        return [LargeMembership(world_id, open_windows[-1], world.member_version)]
