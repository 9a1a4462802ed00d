"""Move read cursors of many users in one transaction."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from im_infra.sql.statements import read_together
from im_proto.repo.v1.stream_pb2 import CursorState
from im_proto.v1.sync_pb2 import AccountEvent, ReadMoved
from im_repo.account_events.append import append_events
from im_repo.conversations.unread import Readable, count_unread
from im_repo.conversations.windows import clamp, visible_head
from im_repo.cursors.raise_cursors import CursorTarget, raise_cursors
from im_repo.cursors.rows_question import rows_question
from im_repo.cursors.standings import Place, Standing, read_cursors_again, read_standings


def mark_reads(connection: Connection, moves: Mapping[Place, int], now: int) -> list[CursorState]:
    """Move read cursors up to the seqs given: members only, never back, never beyond what the reader may see.

    A cursor that moves writes one account event, for the user's other devices. What was read was received, too.

    Args:
        connection: inside a write transaction.
        moves: the seq that each place was read up to.
        now: the database's time, milliseconds since the epoch.

    Returns:
        How the cursors stand, in the order of `moves`; those of non-members are left out.
    """
    standings = _locked_standings(connection, moves)
    targets = _targets(connection, moves, standings)
    pts: dict[Place, int] = {}
    if targets:
        raise_cursors(connection, list(targets.values()))
        pts = _tell(connection, list(targets.values()), now)
    places = [place for place in moves if place in standings]
    unread = count_unread(connection, [_readable(place, standings[place], targets.get(place)) for place in places])
    return [
        _state(place, standings[place], targets.get(place), unread=count, pts=pts.get(place, 0), now=now)
        for place, count in zip(places, unread, strict=True)
    ]


def _locked_standings(connection: Connection, moves: Mapping[Place, int]) -> dict[Place, Standing]:
    """The standings of members, each with a cursor that is locked where it may move.

    A cursor that is not there yet is made first: otherwise two devices that read for the first time at once would both
    find nothing, and the one that was overtaken would be told last.
    """
    standings = read_standings(connection, list(moves))
    first = [
        place
        for place, standing in standings.items()
        if not standing.has_cursor and clamp(moves[place], standing.spans)
    ]
    if first:
        raise_cursors(connection, [CursorTarget(place) for place in first])
        read_cursors_again(connection, standings, first)
    return standings


def _targets(
    connection: Connection, moves: Mapping[Place, int], standings: Mapping[Place, Standing]
) -> dict[Place, CursorTarget]:
    """Where the cursors that move will be."""
    seqs = {
        place: seq
        for place, standing in standings.items()
        if (seq := clamp(moves[place], standing.spans)) > standing.read_seq
    }
    counts = _read_counts(connection, {(place.conversation_id, seq) for place, seq in seqs.items()})
    return {
        place: CursorTarget(place, seq, counts[place.conversation_id, seq], max(seq, standings[place].received_seq))
        for place, seq in seqs.items()
    }


def _read_counts(connection: Connection, entries: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """The running counts at the entries. They are there: a visible seq lies between the log's floor and its head."""
    if not entries:
        return {}
    key = ("conversation_id", "seq")
    [rows] = read_together(
        connection, [rows_question(connection.dialect.name, "message", (*key, "count"), key, sorted(entries))]
    )
    return {(conversation_id, seq): count for conversation_id, seq, count in rows}


def _tell(connection: Connection, targets: Sequence[CursorTarget], now: int) -> dict[Place, int]:
    """Write the account events and return the pts of each."""
    of_user: dict[int, list[CursorTarget]] = {}
    for target in targets:
        of_user.setdefault(target.place.user_id, []).append(target)
    events = {
        user_id: [
            AccountEvent(read_moved=ReadMoved(conversation_id=target.place.conversation_id, read_seq=target.read_seq))
            for target in of_one
        ]
        for user_id, of_one in of_user.items()
    }
    last = append_events(connection, events, now)
    return {
        target.place: last[user_id] - len(of_one) + number
        for user_id, of_one in of_user.items()
        for number, target in enumerate(of_one, start=1)
    }


def _readable(place: Place, standing: Standing, target: CursorTarget | None) -> Readable:
    read_seq, read_count = (target.read_seq, target.read_count) if target else (standing.read_seq, standing.read_count)
    return Readable(
        reader_id=place.user_id,
        conversation_id=place.conversation_id,
        spans=standing.spans,
        after_seq=max(read_seq, standing.hide_seq),
        counted_after=standing.max_count - max(read_count, standing.hide_count),
    )


def _state(
    place: Place, standing: Standing, target: CursorTarget | None, *, unread: int, pts: int, now: int
) -> CursorState:
    return CursorState(
        user_id=place.user_id,
        conversation_id=place.conversation_id,
        read_seq=target.read_seq if target else standing.read_seq,
        received_seq=target.received_seq if target else standing.received_seq,
        moved=target is not None,
        unread=unread,
        pts=pts,
        time=now,
        max_seq=visible_head(standing.spans),
    )
