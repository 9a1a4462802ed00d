"""Read and received cursors: merged for a second per user and conversation, then written in a few statements.

A mark_read is answered after its flush; an ack_received at once, since it is cumulative and the next one repeats it.

Conversations are dealt to shares, each with its own moment within the second: all moves of a second in one write and in
one go of pushes would hold up the messages of that moment by tens of milliseconds.
"""

import asyncio
from typing import Final

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability import logs
from im_logic.answers import Responder, encode
from im_logic.asker import Asker
from im_logic.delivery.delivery import Delivery
from im_logic.reading.merge import Merge, Move
from im_logic.reading.receipts import Moved, Receipts
from im_logic.repo_stream import RepoStream
from im_proto.repo.v1.stream_pb2 import CursorMove, CursorState
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.read_pb2 import AckReceivedRequest, MarkReadRequest, MarkReadResponse
from im_proto.v1.sync_pb2 import AccountEvent, AccountEventPush, ReadMoved

_LOG: Final = logs.get(__name__)

MERGE_S: Final = 1.0
SHARES: Final = 11
"""A prime: ids of which the low bits are alike spread over all of them."""
MAX_MOVES: Final = 20_000
"""Of a share."""
MOVES_A_WRITE: Final = 500
MAX_CURSORS: Final = 200


class Share:
    """The moves of some of the conversations, until their next flush."""

    __slots__ = ("reads", "received")

    def __init__(self) -> None:
        self.reads: Merge[Responder] = Merge(MAX_MOVES)  # full: OVERLOADED
        self.received: Merge[None] = Merge(MAX_MOVES)  # full: not taken, the client's next ack repeats it

    def take(self) -> tuple[Merge[Responder], Merge[None]]:
        """What gathered; it gathers anew."""
        taken = self.reads, self.received
        self.reads, self.received = Merge(MAX_MOVES), Merge(MAX_MOVES)
        return taken


class Cursors:
    """Takes moves, flushes them once a second, tells who has to know.

    Args:
        repo: writes them.
        delivery: pushes account events.
        receipts: tells the others.
        merge_s: seconds between two flushes of a share.
    """

    def __init__(self, *, repo: RepoStream, delivery: Delivery, receipts: Receipts, merge_s: float = MERGE_S) -> None:
        self._repo = repo
        self._delivery = delivery
        self._receipts = receipts
        self._merge_s = merge_s
        self._shares = [Share() for _ in range(SHARES)]

    def mark_read(self, asker: Asker, request: MarkReadRequest, responder: Responder) -> None:
        """Move the caller's read cursor; answered after the flush.

        Raises:
            ImError: FIELD_INVALID, OVERLOADED.
        """
        if request.seq < 1:
            raise ImError(error_table.FIELD_INVALID, "seq: 1 or more")
        move = Move(asker.user_id, request.conversation_id, request.seq)
        if not self._share(move.conversation_id).reads.add(move, responder):
            raise ImError(error_table.OVERLOADED, retry_after_ms=round(self._merge_s * 1000))

    def seen(self, user_id: int, conversation_id: int, seq: int) -> None:
        """A sender had seen the log up to here when sending: read, as far as anybody can tell."""
        self._share(conversation_id).reads.add(Move(user_id, conversation_id, seq))

    def ack_received(self, asker: Asker, request: AckReceivedRequest) -> None:
        """Take what a device has received; not from a crowd, where a message would be a thousand rows and nobody hears.

        Raises:
            ImError: FIELD_INVALID.
        """
        if len(request.cursors) > MAX_CURSORS:
            raise ImError(error_table.FIELD_INVALID, f"cursors: at most {MAX_CURSORS}")
        for cursor in request.cursors:
            if cursor.seq > 0 and self._receipts.wanted(cursor.conversation_id):
                move = Move(asker.user_id, cursor.conversation_id, cursor.seq)
                self._share(move.conversation_id).received.add(move)

    async def run(self) -> None:
        """Flush every `merge_s` until cancelled; what gathered then is lost: marks are made again, acks repeated."""
        async with asyncio.TaskGroup() as tasks:
            for number, share in enumerate(self._shares):
                first_s = self._merge_s * (number + 1) / SHARES
                tasks.create_task(self._flush_regularly(share, first_s), name=f"logic.cursors.{number}")

    def _share(self, conversation_id: int) -> Share:
        return self._shares[conversation_id % SHARES]

    async def _flush_regularly(self, share: Share, first_s: float) -> None:
        await asyncio.sleep(first_s)
        while True:
            if share.reads or share.received:
                await self._flush(share)
            await asyncio.sleep(self._merge_s)

    async def _flush(self, share: Share) -> None:
        """Write what gathered and tell of it."""
        reads, received = share.take()
        moved = Moved()
        for moves in reads.batches(MOVES_A_WRITE):
            await self._flush_reads(moves, reads, moved)
        for moves in received.batches(MOVES_A_WRITE):
            await self._flush_received(moves, moved)
        await self._receipts.tell(moved)

    async def _flush_reads(self, moves: list[Move], reads: Merge[Responder], moved: Moved) -> None:
        try:
            states = await self._repo.mark_reads([_to_proto(move) for move in moves])
        except ImError as error:
            _LOG.warning("reads not written", moves=len(moves), reason=error.reason.name)
            for move in moves:
                for responder in reads.waiters(move):
                    responder.fail(error)
            return
        stored = {(state.user_id, state.conversation_id): state for state in states}
        for move in moves:
            state = stored.get((move.user_id, move.conversation_id))
            for responder in reads.waiters(move):
                if state is None:
                    responder.fail(ImError(error_table.NOT_A_MEMBER))
                else:
                    responder.answer(_answer(state))
            if state is not None and state.moved:
                moved.read(move.user_id, move.conversation_id, state.read_seq)
                self._tell_own_devices(state)

    def _tell_own_devices(self, state: CursorState) -> None:
        if state.pts:
            change = ReadMoved(conversation_id=state.conversation_id, read_seq=state.read_seq)
            push = AccountEventPush(event=AccountEvent(pts=state.pts, time=state.time, read_moved=change))
            self._delivery.deliver_to_users([state.user_id], ServerFrame(account_event_push=push).SerializeToString())

    async def _flush_received(self, moves: list[Move], moved: Moved) -> None:
        try:
            states = await self._repo.mark_received([_to_proto(move) for move in moves])
        except ImError as error:
            _LOG.warning("received cursors not written", moves=len(moves), reason=error.reason.name)
            return
        for state in states:
            if state.moved:
                moved.received(state.user_id, state.conversation_id, state.received_seq)


def _to_proto(move: Move) -> CursorMove:
    return CursorMove(user_id=move.user_id, conversation_id=move.conversation_id, seq=move.seq)


def _answer(state: CursorState) -> bytes:
    read = MarkReadResponse(
        conversation_id=state.conversation_id, read_seq=state.read_seq, unread=state.unread, max_seq=state.max_seq
    )
    return encode(ServerFrame(mark_read=read))
