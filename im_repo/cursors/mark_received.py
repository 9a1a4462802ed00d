"""Move received cursors of many users in one transaction."""

from collections.abc import Mapping

from sqlalchemy import Connection

from im_proto.repo.v1.stream_pb2 import CursorState
from im_repo.conversations.windows import clamp
from im_repo.cursors.raise_cursors import CursorTarget, raise_cursors
from im_repo.cursors.standings import Place, read_standings


def mark_received(connection: Connection, moves: Mapping[Place, int], now: int) -> list[CursorState]:
    """Move received cursors up to the seqs given: members only, never back, never beyond what the reader may see.

    Args:
        connection: inside a write transaction.
        moves: the seq that each place was received up to.
        now: the database's time, milliseconds since the epoch.

    Returns:
        How the cursors stand, in the order of `moves`; those of non-members are left out. Unread is not counted.
    """
    standings = read_standings(connection, list(moves))
    targets = {
        place: CursorTarget(place, received_seq=seq)
        for place, standing in standings.items()
        if (seq := clamp(moves[place], standing.spans)) > standing.received_seq
    }
    if targets:
        raise_cursors(connection, list(targets.values()))
    return [
        CursorState(
            user_id=place.user_id,
            conversation_id=place.conversation_id,
            read_seq=standings[place].read_seq,
            received_seq=targets[place].received_seq if place in targets else standings[place].received_seq,
            moved=place in targets,
            time=now,
        )
        for place in moves
        if place in standings
    ]
