"""Answering pulls of a large conversation's latest entries from the ring.

When such a conversation moves, everybody who is not up to date asks for the same few entries at once. A connection's
first pull goes to logic, and its answer tells what the ring does not know: the reader's floor and the rewind mark. The
next ones are answered here, as long as the ring holds all that is asked for in its present state.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from im_gateway.connections.connection import Connection
from im_gateway.connections.tally import Tally
from im_gateway.delivery.interest import Interest, Interests, Reader
from im_gateway.delivery.ring import RingEntry
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import PullResponse

_DEFAULT_LIMIT: Final = 100
_MAX_BYTES: Final = 48 * 1024
"""Of one answer, as logic's own pages."""


class RingPulls:
    """Answers what it can.

    Args:
        interests: the conversations and their rings.
        tally: counts.
    """

    def __init__(self, interests: Interests, tally: Tally) -> None:
        self._interests = interests
        self._tally = tally

    def answer(self, connection: Connection, frame: ClientFrame) -> bool:
        """Answer a pull; False: logic has to."""
        pull = frame.pull
        interest = self._interests.find(pull.conversation_id)
        reader = interest.readers.get(connection) if interest is not None else None
        window = interest.members.get(connection) if interest is not None else None
        if interest is None or reader is None or window is None or reader.epoch != interest.epoch or interest.filling:
            return False
        to_seq = pull.to_seq or interest.last_seq
        if not window <= pull.from_seq <= to_seq or to_seq - pull.from_seq >= (pull.limit or _DEFAULT_LIMIT):
            return False
        entries = interest.ring.range(pull.from_seq, to_seq)
        if not pull.from_seq or entries is None or sum(each.size for each in entries) > _MAX_BYTES:
            return False
        response = _response(interest, reader, entries, window)
        connection.answer(frame.request_id, ServerFrame(pull=response).SerializeToString())
        self._tally.ring_pulls += 1
        return True

    def learner(self, connection: Connection, conversation_id: int) -> Callable[[bytes], None] | None:
        """What looks at logic's answer to a pull, where that is worth while."""
        interest = self._interests.find(conversation_id)
        if interest is None or connection not in interest.members:
            return None
        return partial(_learn, interest, connection)


def _learn(interest: Interest, connection: Connection, frame: bytes) -> None:
    pulled = ServerFrame.FromString(frame).pull
    if connection in interest.members:
        interest.readers[connection] = Reader(pulled.epoch, pulled.rewind_seq, pulled.floor)


def _response(interest: Interest, reader: Reader, entries: Sequence[RingEntry], window: int) -> PullResponse:
    response = PullResponse(
        conversation_id=interest.conversation_id,
        epoch=reader.epoch,
        rewind_seq=reader.rewind_seq,
        max_seq=interest.last_seq,
        floor=reader.floor,
    )
    for entry in entries:
        is_bare = entry.bare_frame and entry.ref_seq < window
        pushed = ServerFrame.FromString(entry.bare_frame if is_bare else entry.frame)
        response.messages.append(pushed.message_push.message)
    return response
