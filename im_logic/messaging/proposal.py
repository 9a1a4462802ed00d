"""An entry that somebody wants in a log, from its arrival to its answer."""

from typing import Protocol

from im_infra.errors import ImError
from im_logic.asker import Asker
from im_logic.conversations.conversation import Conversation
from im_logic.messaging.rules import Refusal
from im_proto.repo.v1.stream_pb2 import AppendResult, RepoRequest
from im_proto.v1.message_pb2 import SendResponse


class Proposal(Protocol):
    """One entry on its way. The lanes keep its order and its fence; it knows its own rules and its answer."""

    asker: Asker
    conversation_id: int
    client_id: bytes
    client_text: str
    """`client_id` in text form."""
    digest: bytes
    look_up: bool
    """An earlier try may have been stored: look it up before any refusal."""
    order: int
    """Its place among all that arrived at this process; set by the lanes."""
    arrived_at: float
    """Monotonic seconds; set by the lanes."""
    sent_back: int
    """How often its fence had moved; counted by the lanes."""
    restarted: int
    """How often a stream broke under it; counted by the lanes."""

    def word(self, conversation: Conversation, request: RepoRequest) -> None:
        """Decide by the state, and word the item into `request.append`, but for conversation, sender, id, digest and fence.

        Raises:
            ImError: the refusal.
        """
        ...

    def stored(self, result: AppendResult) -> None:
        """It is on disk; `result.status` says whether by an earlier try."""
        ...

    def failed(self, error: ImError) -> None:
        """It is not, as far as we know."""
        ...


def refuse(refusal: Refusal) -> ImError:
    """A rule's refusal as the error that the client hears."""
    return ImError(refusal.reason, retry_after_ms=refusal.retry_after_ms)


def fill_ack(ack: SendResponse, result: AppendResult, client_id: str) -> None:
    """Write what the client hears of a stored entry."""
    ack.conversation_id = result.conversation_id
    ack.seq = result.seq
    ack.count = result.count
    ack.message_id = result.message_id
    ack.server_time = result.server_time
    ack.client_message_id = client_id
