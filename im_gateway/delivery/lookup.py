"""What local fan-out asks logic for, in the name of local members."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from im_gateway.connections.connection import Connection
from im_gateway.delivery.interest import Interest, Interests
from im_gateway.sessions.logic_link import LogicLink
from im_infra.error_kind import Kind
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_proto.gateway.v1.gateway_pb2 import FanOutEntry, MembershipChange
from im_proto.v1.conversation_pb2 import MEMBER_STATE_IN, GetConversationRequest
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import Message, MessagePush, PullRequest

_MAX_PULL: Final = 200
"""A longer gap is left to the clients."""
_GONE: Final = frozenset({Kind.DENIED, Kind.NOT_FOUND})


class LogicLookup:
    """Pulls gaps, and asks who still is a member.

    Args:
        link: the way to logic.
        interests: who is in what.
    """

    def __init__(self, link: LogicLink, interests: Interests) -> None:
        self._link = link
        self._interests = interests

    def pull(
        self, interest: Interest, from_seq: int, to_seq: int, on_entries: Callable[[Sequence[FanOutEntry] | None], None]
    ) -> None:
        """One pull for all, by a local member who may see the whole gap."""
        reader = next((each for each, first in interest.members.items() if first <= from_seq), None)
        if reader is None or to_seq - from_seq >= _MAX_PULL:
            on_entries(None)
            return
        request = PullRequest(
            conversation_id=interest.conversation_id, from_seq=from_seq, to_seq=to_seq, limit=to_seq - from_seq + 1
        )

        def on_frame(frame: bytes | None, _error: ImError | None) -> None:
            if frame is None:
                on_entries(None)
                return
            pulled = ServerFrame.FromString(frame).pull
            seqs = [message.seq for message in pulled.messages]
            if seqs != list(range(from_seq, to_seq + 1)):
                on_entries(None)
                return
            on_entries([to_entry(message, pulled.epoch) for message in pulled.messages])

        self._link.command(reader.caller, ClientFrame(pull=request).SerializeToString(), on_frame)

    def revalidate(self, interest: Interest, from_seq: int, on_done: Callable[[], None]) -> None:
        """Ask for each local user; who cannot be asked for is sent to connect again.

        Those who stay are shown as coming in with `from_seq`: they may have been out meanwhile, so what lies before it is
        no longer known to be theirs.
        """
        users: dict[int, list[Connection]] = {}
        for connection in interest.members:
            users.setdefault(connection.user_id, []).append(connection)
        left = len(users)
        if not left:
            on_done()
            return
        frame = ClientFrame(
            get_conversation=GetConversationRequest(conversation_id=interest.conversation_id)
        ).SerializeToString()

        def on_frame(connections: list[Connection], answer: bytes | None, error: ImError | None) -> None:
            nonlocal left
            left -= 1
            self._judge(interest, connections, from_seq, answer, error)
            if not left:
                on_done()

        for connections in list(users.values()):
            self._link.command(connections[0].caller, frame, partial(on_frame, connections))

    def _judge(
        self,
        interest: Interest,
        connections: list[Connection],
        from_seq: int,
        answer: bytes | None,
        error: ImError | None,
    ) -> None:
        if answer is not None:
            state = ServerFrame.FromString(answer).get_conversation.head.conversation.state
            if state == MEMBER_STATE_IN:
                for connection in connections:
                    if connection in interest.members:
                        interest.members[connection] = max(interest.members[connection], from_seq)
                return
        for connection in connections:
            interest.discard(connection)
            if answer is None and (error is None or error.kind not in _GONE):
                connection.end(CloseCode.RECONNECT, "membership unknown")


def to_entry(message: Message, epoch: int) -> FanOutEntry:
    """A pulled message as an entry of a fan-out."""
    frame = ServerFrame(message_push=MessagePush(message=message, epoch=epoch)).SerializeToString()
    bare = b""
    if message.ref_seq:
        bare_message = Message()
        bare_message.CopyFrom(message)
        bare_message.ClearField("content")
        bare = ServerFrame(message_push=MessagePush(message=bare_message, epoch=epoch)).SerializeToString()
    return FanOutEntry(
        seq=message.seq,
        count=message.count,
        ref_seq=message.ref_seq,
        frame=frame,
        bare_frame=bare,
        mentioned_user_ids=[mention.user_id for mention in message.content.text.mentions],
        changes=_changes(message),
    )


def _changes(message: Message) -> list[MembershipChange]:
    notice = message.content.notice
    came = notice.created if notice.HasField("created") else notice.added
    went = notice.left if notice.HasField("left") else notice.removed
    return [
        *(
            MembershipChange(conversation_id=message.conversation_id, user_id=user_id, from_seq=message.seq)
            for user_id in came.user_ids
        ),
        *(
            MembershipChange(conversation_id=message.conversation_id, user_id=user_id, to_seq=message.seq)
            for user_id in went.user_ids
        ),
    ]
