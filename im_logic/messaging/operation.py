"""Changes of a conversation that are log entries: a recall, an edit, members who come and go.

They take the same lanes as messages, so a connection's frames keep their order; their `operation_id` is the entry's
client id, so each happens once. An operation is always looked up before it is refused: a client repeats it without
saying so, and somebody who has left may ask for the answer of their leaving.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from im_infra.errors import ImError
from im_logic.asker import Asker
from im_logic.conversations.conversation import Conversation
from im_logic.messaging import client_ids
from im_logic.messaging.append_lanes import AppendLanes
from im_logic.messaging.proposal import fill_ack
from im_proto.repo.v1.stream_pb2 import APPEND_STATUS_DUPLICATE, AppendItem, AppendResult, RepoRequest
from im_proto.v1.message_pb2 import SendResponse

Word = Callable[[Conversation, AppendItem], None]
"""Decides by a state and fills in an item, or raises the refusal."""


@dataclass(slots=True)
class Operation:
    """One such change on its way: a `Proposal`."""

    asker: Asker
    conversation_id: int
    client_id: bytes
    client_text: str
    digest: bytes
    rule: Word
    done: asyncio.Future[AppendResult]
    look_up: bool = True
    order: int = 0
    arrived_at: float = 0.0
    sent_back: int = 0
    restarted: int = 0

    def word(self, conversation: Conversation, request: RepoRequest) -> None:
        """Decide and word it."""
        self.rule(conversation, request.append)

    def stored(self, result: AppendResult) -> None:
        """Hand the result to who waits."""
        if not self.done.done():
            self.done.set_result(result)

    def failed(self, error: ImError) -> None:
        """Hand the refusal to who waits."""
        if not self.done.done():
            self.done.set_exception(error)


async def append(
    lanes: AppendLanes, asker: Asker, conversation_id: int, *, client_id: bytes, digest: bytes, rule: Word
) -> AppendResult:
    """Append an operation's entry and wait for it.

    Cancelling stops the waiting only: the entry may be stored all the same, once.

    Raises:
        ImError: the refusal, or why the outcome is unknown.
    """
    done: asyncio.Future[AppendResult] = asyncio.get_running_loop().create_future()
    lanes.submit(Operation(asker, conversation_id, client_id, client_ids.to_text(client_id), digest, rule, done))
    return await done


def to_ack(result: AppendResult, client_id: bytes) -> SendResponse:
    """What the client hears of the entry."""
    ack = SendResponse(duplicate=result.status == APPEND_STATUS_DUPLICATE)
    fill_ack(ack, result, client_ids.to_text(client_id))
    return ack
