"""Reading a log: ranges and single messages, clamped by repo to what the reader may see."""

from typing import Final

from im_infra import error_table
from im_infra.contract.log_entry import to_message
from im_infra.errors import ImError
from im_logic.asker import Asker
from im_logic.messaging.settings import MessagingSettings
from im_logic.repo_stream import RepoStream
from im_proto.repo.v1.stream_pb2 import ReadRange
from im_proto.v1.message_pb2 import GetMessagesRequest, GetMessagesResponse, Message, PullRequest, PullResponse

MAX_PULL: Final = 200
DEFAULT_PULL: Final = 100
MAX_GET: Final = 100


class ReadMessages:
    """Pull and get; the windows of a reader are repo's to apply, in the transaction that reads.

    Args:
        repo: reads.
        settings: bytes of a page.
    """

    def __init__(self, *, repo: RepoStream, settings: MessagingSettings) -> None:
        self._repo = repo
        self._max_bytes = settings.pull_max_bytes

    async def pull(self, asker: Asker, request: PullRequest) -> PullResponse:
        """Read a range.

        Raises:
            ImError: FIELD_INVALID, CONVERSATION_NOT_FOUND.
        """
        if request.from_seq < 0 or request.to_seq < 0 or 0 < request.to_seq < request.from_seq:
            raise ImError(error_table.FIELD_INVALID, "from_seq, to_seq: 0, or a range")
        if not 0 <= request.limit <= MAX_PULL:
            raise ImError(error_table.FIELD_INVALID, f"limit: 1 to {MAX_PULL}, or 0")
        read = ReadRange(
            conversation_id=request.conversation_id,
            user_id=asker.user_id,
            from_seq=request.from_seq,
            to_seq=request.to_seq,
            limit=request.limit or DEFAULT_PULL,
            max_bytes=self._max_bytes,
        )
        found = await self._repo.read_range(read)
        response = PullResponse(
            conversation_id=request.conversation_id,
            epoch=found.epoch,
            rewind_seq=found.rewind_seq,
            max_seq=found.max_seq,
            messages=[to_message(entry) for entry in found.entries],
            floor=found.floor,
            more=found.more,
        )
        for span in found.missing:
            response.missing.add(from_seq=span.from_seq, to_seq=span.to_seq)
        return response

    async def get(self, asker: Asker, request: GetMessagesRequest) -> GetMessagesResponse:
        """Read single messages in their present state; what the reader may not see is left out.

        Raises:
            ImError: FIELD_INVALID, CONVERSATION_NOT_FOUND.
        """
        seqs = sorted(set(request.seqs))
        if not 1 <= len(request.seqs) <= MAX_GET or seqs[0] < 1:
            raise ImError(error_table.FIELD_INVALID, f"seqs: 1 to {MAX_GET} of 1 and more")
        read = ReadRange(
            conversation_id=request.conversation_id,
            user_id=asker.user_id,
            seqs=seqs,
            limit=MAX_GET,
            max_bytes=self._max_bytes,
        )
        messages: list[Message] = []
        while True:
            found = await self._repo.read_range(read)
            messages.extend(to_message(entry) for entry in found.entries)
            if not found.more or not found.entries:
                return GetMessagesResponse(messages=messages)
            rest = [seq for seq in seqs if seq > found.entries[-1].seq]
            del read.seqs[:]
            read.seqs.extend(rest)
            if not rest:
                return GetMessagesResponse(messages=messages)
