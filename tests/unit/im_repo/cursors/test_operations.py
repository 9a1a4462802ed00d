"""The cursor requests of the stream."""

from typing import Any

from im_infra.sql.sqlite import SqliteDatabase
from im_proto.repo.v1.stream_pb2 import CursorMove, MarkReads, MarkReceived
from im_repo.cursors.operations import MOVES_A_TRANSACTION, CursorOperations


async def test_more_moves_than_a_transaction_takes_are_split_and_answered_in_order(
    database: SqliteDatabase, seed_in: Any
) -> None:
    users = list(range(1, 2 * MOVES_A_TRANSACTION + 30))

    def fill(connection: Any) -> None:
        seed = seed_in(connection)
        seed.conversation(1, *users)
        seed.say(1, 0)

    await database.write(fill)
    operations = CursorOperations(database)
    moves = [CursorMove(user_id=user_id, conversation_id=1, seq=1) for user_id in reversed(users)]
    received = await operations.mark_received(MarkReceived(moves=moves))
    assert [state.user_id for state in received.cursors] == users[::-1]
    read = await operations.mark_reads(MarkReads(moves=moves))
    assert all(state.moved and state.read_seq == 1 and state.pts == 1 and state.time > 10**12 for state in read.cursors)


async def test_a_place_named_twice_moves_once_to_the_greatest(database: SqliteDatabase, seed_in: Any) -> None:
    def fill(connection: Any) -> None:
        seed = seed_in(connection)
        seed.conversation(1, 7)
        for _ in range(5):
            seed.say(1, 0)

    await database.write(fill)
    moves = [CursorMove(user_id=7, conversation_id=1, seq=seq) for seq in (2, 4, 3)]
    answer = await CursorOperations(database).mark_reads(MarkReads(moves=moves))
    assert [(state.read_seq, state.pts) for state in answer.cursors] == [(4, 1)]


async def test_nothing_asked_is_nothing_answered(database: SqliteDatabase) -> None:
    assert list((await CursorOperations(database).mark_reads(MarkReads())).cursors) == []
