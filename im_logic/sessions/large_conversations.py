"""A user's large conversations: repo's list, and the world room."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from im_infra.errors import ImError
from im_infra.rpc.retry import retry
from im_infra.rpc.service_pool import ServicePool
from im_infra.rpc.unary import call_unary
from im_logic.conversations.conversation import Membership, Place
from im_logic.conversations.convert import to_conversation
from im_logic.sessions.ports import LargeMembership
from im_logic.world import World
from im_proto.repo.v1.conversation_pb2 import ConversationState, ListLargeRequest
from im_proto.repo.v1.conversation_pb2_grpc import ConversationServiceStub


class ConversationSource(Protocol):
    """Where a conversation's state comes from, such as `RepoStream`."""

    def load_conversation(
        self,
        conversation_id: int,
        user_id: int,
        on_state: Callable[[ConversationState | None, ImError | None], None],
    ) -> None:
        """Load a state with the user's row; answers once, from the loop."""
        ...


class RepoLargeConversations:
    """`LargeConversations` over repo.

    The world room keeps no row of its ordinary members, so repo's list leaves it out. Its state is read anew for each
    connection: a cache of everybody's rows would be as large as the room.

    Args:
        repos: repo's living nodes.
        world: the world room's id.
        source: its state, with the user's row if there is one.
        timeout_s: deadline of one call, in seconds.
    """

    def __init__(self, repos: ServicePool, world: World, source: ConversationSource, *, timeout_s: float) -> None:
        self._repos = repos
        self._world = world
        self._source = source
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
        return [*found, *await self._in_world(world_id, user_id)] if world_id else found

    async def _in_world(self, world_id: int, user_id: int) -> list[LargeMembership]:
        state = await self._load(world_id, user_id)
        place = to_conversation(state, asked_for=user_id, asked_at=0.0).place(user_id)
        first = _open_window(place)
        return [LargeMembership(world_id, first, state.member_version)] if first is not None else []

    async def _load(self, conversation_id: int, user_id: int) -> ConversationState:
        loaded: asyncio.Future[ConversationState] = asyncio.get_running_loop().create_future()

        def on_state(state: ConversationState | None, error: ImError | None) -> None:
            if loaded.done():
                return
            if state is not None:
                loaded.set_result(state)
            elif error is not None:
                loaded.set_exception(error)

        self._source.load_conversation(conversation_id, user_id, on_state)
        return await loaded


def _open_window(place: Place) -> int | None:
    """The first seq of the open window of somebody who is in."""
    if place.state != Membership.IN:
        return None
    return next((first for first, last in reversed(place.windows) if not last), None)
