"""From a client's frame to the room that handles it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from google.protobuf.message import DecodeError, Message

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.errors import ImError
from im_logic.answers import Responder, encode
from im_logic.asker import Asker
from im_logic.conversations.find_users import FindUsers
from im_logic.conversations.open_direct import OpenDirect
from im_logic.conversations.read_conversations import ReadConversations
from im_logic.groups.change_members import ChangeMembers
from im_logic.groups.create_group import CreateGroup
from im_logic.messaging.buckets import Buckets
from im_logic.messaging.change_message import ChangeMessage
from im_logic.messaging.read_messages import ReadMessages
from im_logic.messaging.send_message import SendMessage
from im_logic.messaging.settings import MessagingSettings
from im_logic.messaging.tell_typing import TellTyping
from im_logic.reading.cursors import Cursors
from im_logic.sync.sync import Sync
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.read_pb2 import AckReceivedResponse

Operation = Callable[[Asker, Any], Awaitable[Message]]

_RECEIVED: Final = encode(ServerFrame(ack_received=AckReceivedResponse()))
_UNLIMITED: Final = frozenset(("send", "ack_received", "typing"))
"""Operations with limits of their own."""


class Dispatcher:
    """Hands frames to the rooms.

    `send`, `ack_received` and `mark_read` are handled within the call; every other operation in a task of its own, whose
    result is the field of the same name in the answer. Hello, refresh, ping and view are the gateway's.

    Args:
        send: the hot path.
        cursors: read and received.
        operations: by the name of their field in ClientFrame.
        clock: for the buckets.
        settings: the buckets' sizes.
    """

    def __init__(
        self,
        *,
        send: SendMessage,
        cursors: Cursors,
        operations: dict[str, Operation],
        clock: Clock,
        settings: MessagingSettings,
    ) -> None:
        self._send = send
        self._cursors = cursors
        self._operations = operations
        self._clock = clock
        self._per_user = Buckets(rate_per_s=settings.operations_per_user_s, burst=settings.operations_per_user_burst)

    def handle(self, asker: Asker, frame: bytes, responder: Responder) -> None:
        """Take a serialised ClientFrame, at once and in order; the responder is answered exactly once, now or later.

        Raises:
            ImError: FRAME_INVALID, OPERATION_UNKNOWN, RATE_LIMITED, or what the operation says at once.
        """
        try:
            said = ClientFrame.FromString(frame)
        except DecodeError:
            raise ImError(error_table.FRAME_INVALID) from None
        name = said.WhichOneof("operation")
        if name == "send":
            self._send.send(asker, said.send, responder)
            return
        if name not in _UNLIMITED:
            self._count(asker)
        nobody_waits = not said.request_id  # clients tell what they received, and that somebody types, and go on
        if name == "ack_received":
            self._cursors.ack_received(asker, said.ack_received)
            if nobody_waits:
                responder.answer_along(_RECEIVED)
            else:
                responder.answer(_RECEIVED)
        elif name == "mark_read":
            self._cursors.mark_read(asker, said.mark_read, responder)
        elif name is not None and name in self._operations:
            responder.run(self._run(name, asker, getattr(said, name)), along=nobody_waits)
        else:
            raise ImError(error_table.OPERATION_UNKNOWN)

    def _count(self, asker: Asker) -> None:
        if not asker.exempt:
            wait = self._per_user.take(asker.user_id, self._clock.monotonic())
            if wait:
                raise ImError(error_table.RATE_LIMITED, retry_after_ms=int(wait * 1000) + 1)

    async def _run(self, name: str, asker: Asker, request: Message) -> bytes:
        answer = await self._operations[name](asker, request)
        return encode(ServerFrame(**{name: answer}))  # type: ignore[arg-type]  # the field's own message


def operations_of(
    *,
    change: ChangeMessage,
    read: ReadMessages,
    typing: TellTyping,
    sync: Sync,
    open_direct: OpenDirect,
    conversations: ReadConversations,
    users: FindUsers,
    create_group: CreateGroup,
    members: ChangeMembers,
) -> dict[str, Operation]:
    """The operations that run in tasks, by the name of their field in ClientFrame."""
    return {
        "pull": read.pull,
        "get_messages": read.get,
        "recall_message": change.recall,
        "edit_message": change.edit,
        "typing": typing.tell,
        "sync": lambda asker, request: sync.sync(asker.user_id, request),
        "open_direct": open_direct.open,
        "get_conversation": conversations.get,
        "list_conversations": conversations.list,
        "list_members": conversations.list_members,
        "get_users": users.get,
        "find_user": users.find,
        "create_group": create_group.create,
        "add_members": members.add,
        "leave_group": members.leave,
        "remove_member": members.remove,
        "dissolve_group": members.dissolve,
    }
