"""A user's large conversations: repo's list."""

from im_infra.rpc.retry import retry
from im_infra.rpc.service_pool import ServicePool
from im_infra.rpc.unary import call_unary
from im_logic.sessions.ports import LargeMembership
from im_logic.world import World
from im_proto.repo.v1.conversation_pb2 import ListLargeRequest
from im_proto.repo.v1.conversation_pb2_grpc import ConversationServiceStub


class RepoLargeConversations:
    """`LargeConversations` over repo.

    The world room keeps no row of its ordinary members, so repo is told which it is. It is asked anew for each
    connection: a cache of everybody's rows would be as large as the room.

    Args:
        repos: repo's living nodes.
        world: the world room's id.
        timeout_s: deadline of one call, in seconds.
    """

    def __init__(self, repos: ServicePool, world: World, *, timeout_s: float) -> None:
        self._repos = repos
        self._world = world
        self._timeout_s = timeout_s

    async def world_id(self) -> int:
        """The world room, or 0."""
        return await self._world.ensure()

    async def list_large(self, user_id: int) -> list[LargeMembership]:
        """All of them."""
        request = ListLargeRequest(user_id=user_id, world_id=await self._world.ensure())
        response = await retry(
            lambda left_s: call_unary(self._repos.stub(ConversationServiceStub).ListLarge, request, timeout_s=left_s),
            timeout_s=self._timeout_s,
        )
        return [
            LargeMembership(member.conversation_id, member.from_seq, member.member_version)
            for member in response.members
        ]
