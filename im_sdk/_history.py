"""Reading a conversation's log, forwards or backwards, page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from im_proto.v1 import message_pb2
from im_sdk import _convert
from im_sdk._models import Message, MessageKind

Ask = Callable[[str, Any], Awaitable[Any]]
_CHANGES = frozenset({MessageKind.EDIT, MessageKind.RECALL})


async def read(
    ask: Ask,
    conversation_id: int,
    *,
    me: int,
    before: int | None,
    after: int | None,
    page: int,
    changes: bool,
) -> AsyncIterator[Message]:
    """The log from `after` upwards, or from `before` (or the head) downwards.

    Args:
        ask: asks the server an operation.
        conversation_id: of which conversation.
        me: who reads.
        before: read downwards from below this seq; None: from the head.
        after: read upwards from above this seq, up to the head of the moment of the last page.
        page: entries a request.
        changes: give the entries of edits and recalls too, not only what they made of their targets.
    """
    forwards = after is not None
    from_seq, to_seq = (after + 1, 0) if after is not None else (0, before - 1 if before is not None else 0)
    if before is not None and before <= 1 and not forwards:
        return
    while True:
        request = message_pb2.PullRequest(conversation_id=conversation_id, from_seq=from_seq, to_seq=to_seq, limit=page)
        answer: message_pb2.PullResponse = await ask("pull", request)
        entries = answer.messages if forwards else reversed(answer.messages)
        for wire in entries:
            message = _convert.message(wire, me)
            if changes or message.kind not in _CHANGES:
                yield message
        if not answer.more:
            return
        if forwards:
            seen = [gone.to_seq for gone in answer.missing] + [wire.seq for wire in answer.messages]
            if not seen or max(seen) < from_seq:
                return
            from_seq = max(seen) + 1
        else:
            seen = [gone.from_seq for gone in answer.missing] + [wire.seq for wire in answer.messages]
            to_seq = min(seen, default=1) - 1
            if to_seq < max(1, answer.floor):
                return
