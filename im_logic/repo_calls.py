"""Unary calls to repo's conversations and profiles, tried again on another node while the deadline lasts.

Everything here is idempotent: it reads, or carries an operation id, or makes what there is one of.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.rpc.retry import retry
from im_infra.rpc.service_pool import ServicePool
from im_infra.rpc.unary import call_unary
from im_proto.repo.v1 import account_pb2, conversation_pb2
from im_proto.repo.v1.account_pb2_grpc import AccountStoreServiceStub
from im_proto.repo.v1.conversation_pb2_grpc import ConversationServiceStub
from im_proto.v1.conversation_pb2 import Head
from im_proto.v1.sync_pb2 import Since

Response = TypeVar("Response")

_SHARE_OF_ONE_TRY: Final = 0.4
"""Of the deadline: a node that hangs leaves time for another one."""


class RepoCalls:
    """The calls.

    Args:
        repos: repo's living nodes.
        timeout_s: deadline of one operation with all its tries, in seconds.
        world_id: the world room's id, or 0 where there is none.
    """

    def __init__(self, repos: ServicePool, *, timeout_s: float, world_id: Callable[[], Awaitable[int]]) -> None:
        self._repos = repos
        self._timeout_s = timeout_s
        self._world_id = world_id

    async def open_direct(self, user_id: int, peer_id: int) -> conversation_pb2.OpenDirectResponse:
        """Find or make a private conversation. Cancelled, it may be made."""
        request = conversation_pb2.OpenDirectRequest(user_id=user_id, peer_id=peer_id)
        return await self._retry(
            lambda left_s: call_unary(self._repos.stub(ConversationServiceStub).OpenDirect, request, timeout_s=left_s)
        )

    async def create_group(self, user_id: int, *, title: str, operation_id: bytes, digest: bytes) -> int:
        """Make a group's row, once per operation id; raises ImError(CONFLICT) for another digest."""
        request = conversation_pb2.CreateGroupRequest(
            user_id=user_id, title=title, operation_id=operation_id, digest=digest
        )
        response: conversation_pb2.CreateGroupResponse = await self._retry(
            lambda left_s: call_unary(self._repos.stub(ConversationServiceStub).CreateGroup, request, timeout_s=left_s)
        )
        return response.conversation_id

    async def read_heads(
        self,
        user_id: int,
        *,
        conversation_ids: Sequence[int] = (),
        since_time: int = 0,
        page_token: str = "",
        page_size: int = 0,
    ) -> conversation_pb2.ReadHeadsResponse:
        """Heads of these conversations, or of all that moved since, the world room among them."""
        request = conversation_pb2.ReadHeadsRequest(
            user_id=user_id,
            conversation_ids=conversation_ids,
            since_time=since_time,
            page_token=page_token,
            page_size=page_size or len(conversation_ids),
            world_conversation_id=await self._world_id(),
        )
        return await self._retry(
            lambda left_s: call_unary(self._repos.stub(ConversationServiceStub).ReadHeads, request, timeout_s=left_s)
        )

    async def read_head(self, user_id: int, conversation_id: int) -> Head:
        """One head.

        Raises:
            ImError: CONVERSATION_NOT_FOUND.
        """
        response = await self.read_heads(user_id, conversation_ids=[conversation_id])
        if not response.heads:
            raise ImError(error_table.CONVERSATION_NOT_FOUND)
        return response.heads[0]

    async def begin_sync(
        self, user_id: int, *, pts: int, since: Since, page_size: int
    ) -> conversation_pb2.BeginSyncResponse:
        """Account events after a pts, and the first page of the heads that moved since, the world room among them."""
        request = conversation_pb2.BeginSyncRequest(
            user_id=user_id,
            pts=pts,
            since=since,
            page_size=page_size,
            world_conversation_id=await self._world_id(),
        )
        return await self._retry(
            lambda left_s: call_unary(self._repos.stub(ConversationServiceStub).BeginSync, request, timeout_s=left_s)
        )

    async def list_members(
        self, conversation_id: int, *, after_user_id: int, page_size: int
    ) -> conversation_pb2.ListMembersResponse:
        """Those who are in, by user id."""
        request = conversation_pb2.ListMembersRequest(
            conversation_id=conversation_id, after_user_id=after_user_id, page_size=page_size
        )
        return await self._retry(
            lambda left_s: call_unary(self._repos.stub(ConversationServiceStub).ListMembers, request, timeout_s=left_s)
        )

    async def get_users(self, user_ids: Sequence[int]) -> Sequence[account_pb2.UserRow]:
        """The profiles that exist, without hashes."""
        request = account_pb2.GetUsersRequest(user_ids=user_ids)
        response: account_pb2.GetUsersResponse = await self._retry(
            lambda left_s: call_unary(self._repos.stub(AccountStoreServiceStub).GetUsers, request, timeout_s=left_s)
        )
        return response.users

    async def find_user(self, handle: str) -> account_pb2.UserRow | None:
        """The account of a handle."""
        request = account_pb2.GetUserRequest(handle=handle)
        response: account_pb2.GetUserResponse = await self._retry(
            lambda left_s: call_unary(self._repos.stub(AccountStoreServiceStub).GetUser, request, timeout_s=left_s)
        )
        return response.user if response.HasField("user") else None

    async def _retry(self, attempt: Callable[[float], Awaitable[Response]]) -> Response:
        return await retry(attempt, timeout_s=self._timeout_s, attempt_timeout_s=self._timeout_s * _SHARE_OF_ONE_TRY)
