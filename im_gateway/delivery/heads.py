"""Heads of large conversations for those who do not look at them: merged, at most one frame a second and connection."""

from im_gateway.codec import frames
from im_gateway.codec.abstract import Outgoing
from im_gateway.connections.connection import Connection, State
from im_gateway.delivery.interest import Interest, Interests
from im_proto.v1.read_pb2 import HeadMark


class Heads:
    """Gathers what moved until the next tick.

    Args:
        interests: the conversations.
    """

    def __init__(self, interests: Interests) -> None:
        self._interests = interests
        self._moved: dict[int, Interest] = {}

    def moved(self, interest: Interest) -> None:
        """A conversation got an entry."""
        self._moved[interest.conversation_id] = interest

    def tick(self, now: float) -> None:
        """Tell everybody who does not view them which conversations moved."""
        due: dict[Connection, list[int]] = {}
        for conversation_id, interest in self._moved.items():
            for connection in interest.members:
                if connection not in interest.viewers:
                    due.setdefault(connection, []).append(conversation_id)
        for connection, conversation_id in self._interests.joined:
            seen = due.setdefault(connection, [])
            if conversation_id not in seen:
                seen.append(conversation_id)
        self._moved = {}
        self._interests.joined.clear()
        made: dict[tuple[int, ...], Outgoing | None] = {}
        for connection, conversation_ids in due.items():
            key = tuple(conversation_ids)
            if key not in made:
                made[key] = self._outgoing(key)
            outgoing = made[key]
            if outgoing is not None and connection.state == State.OPEN:
                connection.push(outgoing, now, crowd=True)

    def _outgoing(self, conversation_ids: tuple[int, ...]) -> Outgoing | None:
        marks = []
        for conversation_id in conversation_ids:
            interest = self._interests.find(conversation_id)
            if interest is not None and interest.last_seq:
                marks.append(
                    HeadMark(
                        conversation_id=conversation_id,
                        epoch=interest.epoch,
                        max_seq=interest.last_seq,
                        max_count=interest.max_count,
                    )
                )
        return Outgoing(frames.head_push_frame(marks)) if marks else None
