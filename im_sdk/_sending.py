"""Drafts on the wire: from the outbox into frames, and from answers back into the log."""

from collections.abc import Callable
from typing import Final

from im_proto.v1 import frame_pb2, message_pb2
from im_sdk import _convert
from im_sdk._commands import Command, DraftRenewed, SendAcknowledged, SendRefused
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ClosedError, from_table
from im_sdk._inbox import Inbox
from im_sdk._outbox import Draft, Outbox
from im_sdk._requests import Requests
from im_sdk._writer import Writer

_MESSAGE_TYPES: Final = {"text": message_pb2.MESSAGE_TYPE_TEXT, "custom": message_pb2.MESSAGE_TYPE_CUSTOM}


class Sending:
    """Writes drafts and takes their answers.

    Args:
        outbox: decides what is written when.
        inbox: takes what was stored as an entry of its log.
        requests: numbers the frames.
        writer: takes the frames.
        commands: where answers are put.
        new_id: makes a `client_message_id`.
        park_renewed: a draft with a new id waits until that id is kept.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        inbox: Inbox,
        requests: Requests,
        writer: Writer,
        commands: list[Command],
        new_id: Callable[[float], str],
        park_renewed: bool,
    ) -> None:
        self._outbox = outbox
        self._inbox = inbox
        self._requests = requests
        self._writer = writer
        self._commands = commands
        self._new_id = new_id
        self._park_renewed = park_renewed
        self._sent: dict[int, Draft] = {}
        """By the number of the frame; an earlier try's frame stays until it is answered or the connection ends."""

    def write(self, now: float) -> None:
        """Write what may be written now."""
        if not self._outbox.has_ready and self._outbox.deadline() > now:
            return
        for draft in self._outbox.take(now):
            draft.request_id = self._requests.next_id()
            self._sent[draft.request_id] = draft
            wire = message_pb2.SendRequest(
                conversation_id=draft.conversation_id,
                client_message_id=draft.client_message_id,
                content=draft.content,
                ref_seq=draft.ref_seq,
                attempt=draft.attempt,
                seen_seq=draft.seen_seq,
            )
            self._writer.put("send", wire, draft.request_id, traceparent=draft.traceparent)

    def take_answer(self, frame: frame_pb2.ServerFrame, now: float) -> bool:
        """Take the answer of a send; gives whether it was one."""
        draft = self._sent.pop(frame.request_id, None)
        if draft is None:
            return False
        if frame.WhichOneof("event") == "send":
            self._acknowledged(draft, frame.send, now)
        elif draft.request_id == frame.request_id:  # else it is of a try that was given up: the later one decides
            self._refused(draft, frame, now)
        return True

    def connection_lost(self) -> None:
        """The outcome of what was written is unknown; it is written again."""
        self._sent.clear()
        self._outbox.connection_lost()

    def give_up(self, error: ClosedError) -> None:
        """The session is over."""
        for draft in self._outbox.clear():
            self._commands.append(SendRefused(draft.conversation_id, draft.client_message_id, error))

    def _refused(self, draft: Draft, frame: frame_pb2.ServerFrame, now: float) -> None:
        if frame.HasField("error"):
            error = _convert.error(frame.error)
        else:
            error = from_table(ErrorNumber.OPERATION_UNKNOWN, "the server's answer is of another kind")
        if error.number == ErrorNumber.TOO_OLD and draft.attempt == 1 and draft.client_message_id in self._outbox:
            old, new = draft.client_message_id, self._new_id(now)
            self._outbox.renew(draft, new, park=self._park_renewed)
            self._commands.append(DraftRenewed(draft.conversation_id, old, new))
        elif self._outbox.refuse(draft, error, now):
            self._commands.append(SendRefused(draft.conversation_id, draft.client_message_id, error))

    def _acknowledged(self, draft: Draft, ack: message_pb2.SendResponse, now: float) -> None:
        if self._outbox.acknowledge(draft.client_message_id) is None:
            return
        self._commands.append(SendAcknowledged(_convert.sent(ack)))
        body = draft.content.WhichOneof("body") or ""
        entry = message_pb2.Message(
            conversation_id=draft.conversation_id,
            seq=ack.seq,
            count=ack.count,
            message_id=ack.message_id,
            sender_id=self._inbox.me,
            client_message_id=draft.client_message_id,
            server_time=ack.server_time,
            type=_MESSAGE_TYPES.get(body, message_pb2.MESSAGE_TYPE_UNSPECIFIED),
            ref_seq=draft.ref_seq,
            content=draft.content,
        )
        track = self._inbox.tracks.get(draft.conversation_id)
        self._inbox.take_entry(entry, track.epoch if track is not None else 0, now)
        if draft.seen_seq:
            # Never beyond what is there: what comes later is unread.
            self._inbox.take_read(draft.conversation_id, min(draft.seen_seq, ack.seq), now)
