"""Receipts: who received and who read up to where, told to the others in private chats and small groups."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from im_infra.errors import ImError
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import Conversation, ConversationKind, Membership
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.read_pb2 import Receipt, ReceiptPush

STATE_MAX_AGE_S: Final = 30.0
"""Nothing fences receipts, so somebody who was removed elsewhere may see where others are for so long."""
_LOADS_AT_A_TIME: Final = 64


class Teller(Protocol):
    """Pushes to users."""

    def deliver_to_users(self, user_ids: Sequence[int], frame: bytes, *, ephemeral: bool = False) -> None:
        """Push a frame to all connections of the users."""
        ...


class Moved:
    """Which cursors moved within one merge."""

    def __init__(self) -> None:
        self._receipts: dict[int, dict[int, Receipt]] = {}

    def read(self, user_id: int, conversation_id: int, seq: int) -> None:
        """Somebody read."""
        self._receipt(user_id, conversation_id).read_seq = seq

    def received(self, user_id: int, conversation_id: int, seq: int) -> None:
        """Somebody received."""
        self._receipt(user_id, conversation_id).received_seq = seq

    def by_conversation(self) -> Iterable[tuple[int, dict[int, Receipt]]]:
        """The receipts by conversation and user."""
        return self._receipts.items()

    def _receipt(self, user_id: int, conversation_id: int) -> Receipt:
        users = self._receipts.setdefault(conversation_id, {})
        receipt = users.get(user_id)
        if receipt is None:
            receipt = users[user_id] = Receipt(conversation_id=conversation_id, user_id=user_id)
        return receipt


def are_told(conversation: Conversation, *, max_members: int) -> bool:
    """Whether anybody hears of receipts there: in private chats and groups up to a size."""
    if conversation.kind == ConversationKind.WORLD or not conversation.complete:
        return False
    return conversation.kind != ConversationKind.GROUP or conversation.member_count <= max_members


def audience(conversation: Conversation, movers: Iterable[int], *, max_members: int) -> list[int]:
    """Who hears of it: everybody else where receipts are told, nobody elsewhere."""
    if not are_told(conversation, max_members=max_members):
        return []
    moving = set(movers)
    members = [place.user_id for place in conversation.places.values() if place.state == Membership.IN]
    if len(moving) == 1:
        return [user_id for user_id in members if user_id not in moving]
    return members


class Receipts:
    """Tells receipts, one frame per conversation.

    Args:
        cache: who is in.
        teller: pushes.
        max_members: groups up to this size hear of receipts.
    """

    def __init__(self, *, cache: ConversationCache, teller: Teller, max_members: int) -> None:
        self._cache = cache
        self._teller = teller
        self._max_members = max_members

    def wanted(self, conversation_id: int) -> bool:
        """Whether it is of any use to keep what somebody received there; where the conversation is not known, it may be."""
        conversation = self._cache.peek(conversation_id)
        return conversation is None or are_told(conversation, max_members=self._max_members)

    async def tell(self, moved: Moved) -> None:
        """Push what moved; conversations that cannot be loaded are left out, the next receipt says more anyway."""
        unknown: list[tuple[int, dict[int, Receipt]]] = []
        for conversation_id, receipts in moved.by_conversation():
            mover = next(iter(receipts))
            conversation = self._cache.get_fresh(conversation_id, mover, max_age_s=STATE_MAX_AGE_S)
            if conversation is not None:
                self._push(conversation, receipts)
            else:
                unknown.append((conversation_id, receipts))
        for start in range(0, len(unknown), _LOADS_AT_A_TIME):
            await asyncio.gather(*(self._load(*one) for one in unknown[start : start + _LOADS_AT_A_TIME]))

    async def _load(self, conversation_id: int, receipts: dict[int, Receipt]) -> None:
        try:
            conversation = await self._cache.fetch(conversation_id, next(iter(receipts)), max_age_s=STATE_MAX_AGE_S)
        except ImError:
            return
        self._push(conversation, receipts)

    def _push(self, conversation: Conversation, receipts: dict[int, Receipt]) -> None:
        users = audience(conversation, receipts, max_members=self._max_members)
        if users:
            push = ReceiptPush(receipts=receipts.values())
            self._teller.deliver_to_users(users, ServerFrame(receipt_push=push).SerializeToString(), ephemeral=True)
