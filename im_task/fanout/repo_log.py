"""The log, read over the stream that task keeps to repo."""

from im_infra.observability.tracing import active_span
from im_infra.rpc.pool import StreamPool
from im_proto.repo.v1.stream_pb2 import Entries, ReadEntries, RepoRequest, RepoResponse


class RepoLog:
    """Reads entries.

    Args:
        pool: the streams to repo processes; a conversation's reads go where its appends go.
        timeout_s: how long a read may take.
    """

    def __init__(self, pool: StreamPool, *, timeout_s: float) -> None:
        self._pool = pool
        self._timeout_s = timeout_s

    async def read_entries(self, conversation_id: int, from_seq: int, to_seq: int) -> Entries:
        """Entries of a log: see `ports.EntryReader`. Safe to cancel."""
        request = RepoRequest(
            read_entries=ReadEntries(conversation_id=conversation_id, from_seq=from_seq, to_seq=to_seq)
        )
        span = active_span()
        if span is not None:
            request.trace = span.context
        client = self._pool.pick(conversation_id)
        answer = await client.call(request.SerializeToString(), timeout_s=self._timeout_s)
        return RepoResponse.FromString(answer).entries
