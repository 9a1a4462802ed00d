"""Reading one conversation, the caller's list of them, and who is in one."""

from typing import Final

from im_infra import error_table
from im_infra.errors import ImError
from im_logic import page_tokens
from im_logic.asker import Asker
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import ConversationKind, Membership
from im_logic.repo_calls import RepoCalls
from im_proto.v1.conversation_pb2 import (
    GetConversationRequest,
    GetConversationResponse,
    ListConversationsRequest,
    ListConversationsResponse,
    ListMembersRequest,
    ListMembersResponse,
)

_MEMBERS: Final = "members"
_CONVERSATIONS: Final = "conversations"


class ReadConversations:
    """Lists and heads.

    Args:
        calls: repo.
        cache: whether the caller is in.
    """

    def __init__(self, *, calls: RepoCalls, cache: ConversationCache) -> None:
        self._calls = calls
        self._cache = cache

    async def get(self, asker: Asker, request: GetConversationRequest) -> GetConversationResponse:
        """One conversation's head; raises ImError(CONVERSATION_NOT_FOUND)."""
        return GetConversationResponse(head=await self._calls.read_head(asker.user_id, request.conversation_id))

    async def list(self, asker: Asker, request: ListConversationsRequest) -> ListConversationsResponse:
        """The caller's conversations, newest first.

        Pages follow the last change of any kind, and each page is in the order of the last message: the two differ only
        where something else than a message came last.

        Raises:
            ImError: FIELD_INVALID, PAGE_TOKEN_INVALID.
        """
        size = page_tokens.page_size(request.page_size, default=50, most=200)
        token = ""
        if request.page_token:
            (token,) = page_tokens.decode(_CONVERSATIONS, asker.user_id, request.page_token, count=1)
        found = await self._calls.read_heads(asker.user_id, page_token=token, page_size=size)
        following = found.next_page_token
        return ListConversationsResponse(
            heads=sorted(found.heads, key=lambda head: -head.conversation.active_time),
            next_page_token=page_tokens.encode(_CONVERSATIONS, asker.user_id, [following]) if following else "",
        )

    async def list_members(self, asker: Asker, request: ListMembersRequest) -> ListMembersResponse:
        """Who is in a private chat or group; only members may ask.

        Raises:
            ImError: FIELD_INVALID, PAGE_TOKEN_INVALID, CONVERSATION_NOT_FOUND, NOT_A_MEMBER; PERMISSION_DENIED for the
                world room.
        """
        size = page_tokens.page_size(request.page_size, default=100, most=500)
        after = 0
        if request.page_token:
            token = page_tokens.decode(
                f"{_MEMBERS} {request.conversation_id}", asker.user_id, request.page_token, count=1
            )
            after = int(token[0])
        conversation = await self._cache.fetch(request.conversation_id, asker.user_id)
        place = conversation.place(asker.user_id)
        if place.state != Membership.IN:
            raise ImError(error_table.NOT_A_MEMBER if place.state else error_table.CONVERSATION_NOT_FOUND)
        if conversation.kind == ConversationKind.WORLD:
            raise ImError(error_table.PERMISSION_DENIED, "the world room has no list of members")
        found = await self._calls.list_members(request.conversation_id, after_user_id=after, page_size=size + 1)
        page = found.members[:size]
        following = ""
        if len(found.members) > size:
            following = page_tokens.encode(
                f"{_MEMBERS} {request.conversation_id}", asker.user_id, [str(page[-1].user_id)]
            )
        return ListMembersResponse(members=page, next_page_token=following)
