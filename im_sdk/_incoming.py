"""Frames of the server, each to whom it concerns."""

from collections.abc import Callable
from typing import Final

from im_proto.v1 import frame_pb2
from im_sdk import _convert
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import from_table
from im_sdk._events import Event, Typing
from im_sdk._inbox import Inbox
from im_sdk._link import Link, Phase
from im_sdk._requests import Requests
from im_sdk._sending import Sending

_EARLY: Final = frozenset({"message_push", "head_push", "account_event_push", "receipt_push", "check", "lagged"})
"""What is held back until the first sync of a connection is in: applied before it, it would move cursors too far."""


class Incoming:
    """Tells answers from pushes, and holds back what comes too early.

    Args:
        link: the connection.
        inbox: takes what is about conversations.
        requests: knows which answers are awaited.
        sending: knows which sends are.
        events: where events are put.
        early_limit: pushes that are held back; what comes on top is dropped, and found by a light sync.
    """

    def __init__(
        self,
        *,
        link: Link,
        inbox: Inbox,
        requests: Requests,
        sending: Sending,
        events: list[Event],
        early_limit: int,
    ) -> None:
        self._link = link
        self._inbox = inbox
        self._requests = requests
        self._sending = sending
        self._events = events
        self._early_limit = early_limit
        self._early: list[frame_pb2.ServerFrame] = []
        self._early_dropped = False
        self._handlers: dict[str, Callable[[frame_pb2.ServerFrame, float], None]] = {
            "receipt_push": lambda frame, _now: inbox.take_receipts(frame.receipt_push),
            "head_push": lambda frame, now: inbox.take_marks(frame.head_push, now),
            "account_event_push": lambda frame, now: inbox.sync.take_event(frame.account_event_push.event, now),
            "typing_push": self._take_typing,
            "check": self._take_check,
            "lagged": lambda _frame, now: inbox.sync.light(now),
            "kick": lambda frame, now: link.kicked(frame.kick.close_code, frame.kick.reason, now),
            "go_away": lambda frame, now: link.going_away(frame.go_away.after_ms, now),
            "error": self._take_stray_error,
        }

    def take(self, frame: frame_pb2.ServerFrame, now: float) -> None:
        """Take a frame, in the order of coming."""
        link = self._link
        if not link.connected:
            return  # a frame before it ended the connection
        event = frame.WhichOneof("event")
        if event == "message_push" and link.online:
            self._inbox.take_push(frame.message_push, now)
        elif frame.request_id:
            if not self._sending.take_answer(frame, now):
                self._take_answer(frame, event, now)
        elif event in _EARLY and not link.online:
            if len(self._early) < self._early_limit:
                self._early.append(frame)
            else:
                self._early_dropped = True
        elif event is not None and (handler := self._handlers.get(event)) is not None:
            handler(frame, now)

    def take_early(self, now: float) -> None:
        """The first sync is in: take what was held back."""
        early, self._early = self._early, []
        for frame in early:
            self.take(frame, now)
        if self._early_dropped:
            self._early_dropped = False
            self._inbox.sync.light(now)

    def connection_lost(self) -> None:
        """The next connection's sync tells what these frames would have."""
        self._early.clear()
        self._early_dropped = False

    def _take_answer(self, frame: frame_pb2.ServerFrame, event: str | None, now: float) -> None:
        request = self._requests.find(frame.request_id)
        if request is None:
            return  # given up meanwhile
        if event == "error":
            self._requests.refused(request, _convert.error(frame.error), now)
        elif event == request.operation:
            self._requests.answered(request, getattr(frame, event), now)
        else:
            unknown = from_table(ErrorNumber.OPERATION_UNKNOWN, "the server's answer is of another kind")
            self._requests.refused(request, unknown, now)

    def _take_typing(self, frame: frame_pb2.ServerFrame, _now: float) -> None:
        push = frame.typing_push
        self._events.append(Typing(push.conversation_id, push.user_id))

    def _take_check(self, frame: frame_pb2.ServerFrame, now: float) -> None:
        self._inbox.take_check(frame.check.conversation_ids, account=frame.check.account, now=now)

    def _take_stray_error(self, frame: frame_pb2.ServerFrame, now: float) -> None:
        """An error of no request: while greeting it is about the hello, later about something not repeated."""
        if self._link.phase is Phase.GREETING:
            self._link.hello_refused(_convert.error(frame.error), now)
