"""Typing: told to the others who are online, stored nowhere."""

from typing import Protocol

from im_infra.clock import Clock
from im_infra.errors import ImError
from im_logic.asker import Asker
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import Conversation
from im_logic.messaging import rules
from im_logic.messaging.buckets import Buckets
from im_logic.messaging.proposal import refuse
from im_logic.messaging.settings import MessagingSettings
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.message_pb2 import TypingPush, TypingRequest, TypingResponse

STATE_MAX_AGE_S = 10.0
"""Nothing fences typing, so somebody who was removed elsewhere may be seen typing for so long."""


class Teller(Protocol):
    """Pushes to users."""

    def deliver_to_users(self, user_ids: list[int], frame: bytes, *, ephemeral: bool = False) -> None:
        """Push a frame to all connections of the users."""
        ...


class TellTyping:
    """Passes typing on, at most once per interval of a user in a conversation.

    Args:
        cache: who is in the conversation.
        teller: pushes.
        clock: for the interval.
        settings: the interval, and up to which size it is told.
    """

    def __init__(self, *, cache: ConversationCache, teller: Teller, clock: Clock, settings: MessagingSettings) -> None:
        self._cache = cache
        self._teller = teller
        self._clock = clock
        self._max_members = settings.receipt_members
        self._told = (
            Buckets(rate_per_s=1000 / settings.typing_interval_ms, burst=1) if settings.typing_interval_ms else None
        )

    async def tell(self, asker: Asker, request: TypingRequest) -> TypingResponse:
        """Tell the others; over the limit it is silently dropped.

        Raises:
            ImError: why the user may not write here.
        """
        conversation_id = request.conversation_id
        conversation = await self._cache.fetch(conversation_id, asker.user_id, max_age_s=STATE_MAX_AGE_S)
        if self._refusal(conversation, asker) is not None:
            conversation = await self._cache.fetch(conversation_id, asker.user_id)
            refusal = self._refusal(conversation, asker)
            if refusal is not None:
                raise refusal
        # One key for the pair; a collision drops one typing push in 2^63.
        key = hash((asker.user_id, conversation_id))
        if conversation.complete and (self._told is None or not self._told.take(key, self._clock.monotonic())):
            push = TypingPush(conversation_id=conversation_id, user_id=asker.user_id)
            frame = ServerFrame(typing_push=push).SerializeToString()
            self._teller.deliver_to_users(conversation.others_in(asker.user_id), frame, ephemeral=True)
        return TypingResponse()

    def _refusal(self, conversation: Conversation, asker: Asker) -> ImError | None:
        place = conversation.place(asker.user_id)
        refusal = rules.may_type(
            conversation, place, asker.user_kind, self._clock.now_ms(), max_members=self._max_members
        )
        return None if refusal is None else refuse(refusal)
