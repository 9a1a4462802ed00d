"""The cursor requests of the stream."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Final

from sqlalchemy import Connection

from im_infra.sql.abstract import Database
from im_infra.sql.expressions import read_now_ms
from im_proto.repo.v1.stream_pb2 import CursorMove, CursorsMoved, CursorState, MarkReads, MarkReceived
from im_repo.cursors.mark_reads import mark_reads
from im_repo.cursors.mark_received import mark_received
from im_repo.cursors.standings import Place

MOVES_A_TRANSACTION: Final = 100
"""More are split: a transaction that locks this many rows lets others through again after a few milliseconds."""

_Mark = Callable[[Connection, Mapping[Place, int], int], list[CursorState]]


class CursorOperations:
    """Moves cursors; what the stream's servicer dispatches to.

    Args:
        database: where they lie.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mark_reads(self, request: MarkReads) -> CursorsMoved:
        """Move read cursors. Idempotent; a batch that fails half way may have moved some.

        Cancelling the caller does not undo what was begun.

        Raises:
            ImError: as `Database.write` does.
        """
        return await self._mark(request.moves, mark_reads)

    async def mark_received(self, request: MarkReceived) -> CursorsMoved:
        """Move received cursors. As `mark_reads`, without account events and unread counts."""
        return await self._mark(request.moves, mark_received)

    async def _mark(self, moves: Iterable[CursorMove], mark: _Mark) -> CursorsMoved:
        answer = CursorsMoved()
        for batch in _batches(_greatest(moves)):
            answer.cursors.extend(await self._database.write(partial(_at_database_time, mark, batch)))
        return answer


def _at_database_time(mark: _Mark, batch: Mapping[Place, int], connection: Connection) -> list[CursorState]:
    return mark(connection, batch, read_now_ms(connection))


def _greatest(moves: Iterable[CursorMove]) -> dict[Place, int]:
    """One move per place, in the order of the first."""
    greatest: dict[Place, int] = {}
    for move in moves:
        place = Place(move.user_id, move.conversation_id)
        greatest[place] = max(move.seq, greatest.get(place, 0))
    return greatest


def _batches(moves: Mapping[Place, int]) -> Iterator[dict[Place, int]]:
    left = iter(moves.items())
    while batch := dict(islice(left, MOVES_A_TRANSACTION)):
        yield batch
