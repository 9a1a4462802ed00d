"""The stream to repo, in the words of this service.

Appends, lookups and loads answer by callback, in the loop, exactly once; the rest are coroutines. A conversation's
requests go to one repo process while that one lives (rendezvous by conversation id): for speed, not for correctness.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.observability.tracing import active_span
from im_infra.rpc.peer import Peer
from im_proto.repo.v1.conversation_pb2 import ConversationState
from im_proto.repo.v1.stream_pb2 import (
    AppendResult,
    Confirm,
    ConfirmedRange,
    CursorMove,
    CursorState,
    Entries,
    FindAppend,
    Range,
    ReadRange,
    RepoRequest,
    RepoResponse,
)

OnAnswer = Callable[[bytes | None, ImError | None], None]
OnAppended = Callable[[AppendResult | None, ImError | None], None]
"""Exactly one is not None."""

APPEND_TIMEOUT_S: Final = 8.0
READ_TIMEOUT_S: Final = 5.0
TRIES: Final = 3
"""Processes that are asked, one after the other, as long as each says that it drains."""


class RepoClient(Protocol):
    """The end of one stream to one repo process."""

    @property
    def peer(self) -> Peer | None:
        """Who answers, once connected."""
        ...

    def request(self, body: bytes, on_answer: OnAnswer, *, timeout_s: float) -> None:
        """Send a request; the answer comes exactly once, from the loop."""
        ...


class RepoClients(Protocol):
    """All streams to repo."""

    def pick(self, key: int) -> RepoClient:
        """The stream for a key; raises ImError(UNAVAILABLE) while there is none."""
        ...

    def all(self) -> Sequence[RepoClient]:
        """Every stream."""
        ...


class RepoStream:
    """Typed requests over the streams to repo.

    Args:
        clients: the streams, such as `im_infra.rpc`'s StreamPool.
    """

    def __init__(self, clients: RepoClients) -> None:
        self._clients = clients

    def pick(self, conversation_id: int) -> RepoClient:
        """The stream that this conversation's appends take now; raises ImError(UNAVAILABLE) while there is none."""
        return self._clients.pick(conversation_id)

    def append_request(self, client: RepoClient, request: RepoRequest, on_appended: OnAppended) -> None:
        """Append over a stream from `pick`; the item is in its request already, which saves a copy on the hot path."""

        def on_answer(body: bytes | None, error: ImError | None) -> None:
            if body is None:
                on_appended(None, error)
            else:
                on_appended(RepoResponse.FromString(body).append, None)

        client.request(request.SerializeToString(), on_answer, timeout_s=APPEND_TIMEOUT_S)

    def find_append(self, find: FindAppend, on_found: OnAppended) -> None:
        """Look an append up by its client id."""

        def on_answer(body: bytes | None, error: ImError | None) -> None:
            if body is None:
                on_found(None, error)
            else:
                on_found(RepoResponse.FromString(body).found, None)

        request = RepoRequest(find_append=find)
        self._request(find.conversation_id, request, on_answer)

    def load_conversation(
        self,
        conversation_id: int,
        user_id: int,
        on_state: Callable[[ConversationState | None, ImError | None], None],
    ) -> None:
        """Load a conversation with a user's row."""

        def on_answer(body: bytes | None, error: ImError | None) -> None:
            if body is None:
                on_state(None, error)
            else:
                on_state(RepoResponse.FromString(body).conversation, None)

        request = RepoRequest()
        request.load_conversation.conversation_id = conversation_id
        request.load_conversation.user_id = user_id
        self._request(conversation_id, request, on_answer)

    async def read_range(self, read: ReadRange) -> Range:
        """Read a range as one reader may see it. Safe to cancel."""
        return (await self._call(read.conversation_id, RepoRequest(read_range=read))).range

    async def read_entries(self, conversation_id: int, from_seq: int, to_seq: int) -> Entries:
        """Read entries as they lie, for fan-out. Safe to cancel."""
        request = RepoRequest()
        request.read_entries.conversation_id = conversation_id
        request.read_entries.from_seq = from_seq
        request.read_entries.to_seq = to_seq
        return (await self._call(conversation_id, request)).entries

    async def mark_reads(self, moves: Sequence[CursorMove]) -> Sequence[CursorState]:
        """Move read cursors. Cancelled, they may or may not have moved; moving again is harmless."""
        request = RepoRequest()
        request.mark_reads.moves.extend(moves)
        return (await self._call(moves[0].conversation_id, request)).reads.cursors

    async def mark_received(self, moves: Sequence[CursorMove]) -> Sequence[CursorState]:
        """Move received cursors. Cancelled, they may or may not have moved; moving again is harmless."""
        request = RepoRequest()
        request.mark_received.moves.extend(moves)
        return (await self._call(moves[0].conversation_id, request)).received.cursors

    def confirm(self, client: RepoClient, boot_id: str, ranges: Sequence[ConfirmedRange]) -> None:
        """Tell a repo process that ranges took effect; dropped when it is gone, its sweeper then repeats them."""
        peer = client.peer
        if peer is None or peer.boot_id != boot_id:
            return
        request = RepoRequest()
        request.confirm.ranges.extend(ranges)
        client.request(request.SerializeToString(), _ignore, timeout_s=READ_TIMEOUT_S)

    def rest_large(self, rest_ms: int) -> None:
        """Tell every repo process that large ranges cannot be delivered for so long."""
        body = RepoRequest(confirm=Confirm(large_rest_ms=rest_ms)).SerializeToString()
        for client in self._clients.all():
            client.request(body, _ignore, timeout_s=READ_TIMEOUT_S)

    def client_of(self, peer: Peer) -> RepoClient | None:
        """The stream to a certain boot, if there is one."""
        for client in self._clients.all():
            if client.peer == peer:
                return client
        return None

    def _request(self, conversation_id: int, request: RepoRequest, on_answer: OnAnswer, *, tries: int = TRIES) -> None:
        """Ask for something idempotent; a process that had not started it is left for another one."""
        try:
            client = self._clients.pick(conversation_id)
        except ImError as error:
            asyncio.get_running_loop().call_soon(on_answer, None, error)  # never within the call that asks
            return

        def on_answered(body: bytes | None, error: ImError | None) -> None:
            if isinstance(error, NotStartedError):
                if tries > 1:
                    self._request(conversation_id, request, on_answer, tries=tries - 1)
                    return
                error = ImError(error_table.UNAVAILABLE, error.message, retry_after_ms=200)
            on_answer(body, error)

        span = active_span()
        if span is not None:
            request.trace = span.context
        client.request(request.SerializeToString(), on_answered, timeout_s=READ_TIMEOUT_S)

    async def _call(self, conversation_id: int, request: RepoRequest) -> RepoResponse:
        done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def on_answer(body: bytes | None, error: ImError | None) -> None:
            if done.done():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(body or b"")

        self._request(conversation_id, request, on_answer)
        return RepoResponse.FromString(await done)


def _ignore(body: bytes | None, error: ImError | None) -> None:
    """A confirmation that was lost is made up for by the sweeper, and what it says of the bus by the next one."""
