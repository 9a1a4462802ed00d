"""Sending a message: the hot path."""

from collections.abc import Callable
from typing import Final

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.errors import ImError
from im_logic.answers import Responder, encode
from im_logic.asker import Asker
from im_logic.conversations.conversation import Conversation, ConversationKind
from im_logic.messaging import client_ids, rules
from im_logic.messaging.append_lanes import AppendLanes
from im_logic.messaging.buckets import Buckets
from im_logic.messaging.content import Checked, ContentLimits, check_message
from im_logic.messaging.proposal import fill_ack, refuse
from im_logic.messaging.settings import MessagingSettings
from im_proto.repo.v1.stream_pb2 import APPEND_STATUS_DUPLICATE, AppendResult, RepoRequest
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.message_pb2 import SendRequest

OnSeen = Callable[[int, int, int], None]
"""Takes (user_id, conversation_id, seen_seq) of a stored message: its sender has read up to there."""

_DIRECT: Final = int(ConversationKind.DIRECT)

BURST_S: Final = 2
"""A conversation takes so many seconds' worth of messages at once."""


class SendLimits:
    """The buckets of new messages, per user and per conversation by its size."""

    def __init__(self, settings: MessagingSettings) -> None:
        self._users = Buckets(rate_per_s=settings.sends_per_user_s, burst=settings.sends_per_user_burst)
        self._groups = _of_conversations(settings.sends_per_group_s)
        self._huge = _of_conversations(settings.sends_per_huge_s)
        self._huge_members = settings.huge_members

    def take(self, asker: Asker, conversation: Conversation, now: float) -> None:
        """Count a new message.

        Raises:
            ImError: RATE_LIMITED; then nothing was counted.
        """
        if not asker.exempt:
            wait = self._users.take(asker.user_id, now)
            if wait:
                raise ImError(error_table.RATE_LIMITED, "too many messages", retry_after_ms=int(wait * 1000) + 1)
        bucket = self._of(conversation)
        if bucket is not None:
            wait = bucket.take(conversation.conversation_id, now)
            if wait:
                if not asker.exempt:
                    self._users.give_back(asker.user_id)
                raise ImError(
                    error_table.RATE_LIMITED, "this conversation is too busy", retry_after_ms=int(wait * 1000) + 1
                )

    def give_back(self, asker: Asker, conversation: Conversation) -> None:
        """It was no new message after all."""
        if not asker.exempt:
            self._users.give_back(asker.user_id)
        bucket = self._of(conversation)
        if bucket is not None:
            bucket.give_back(conversation.conversation_id)

    def _of(self, conversation: Conversation) -> Buckets | None:
        if conversation.kind == _DIRECT:
            return None
        huge = conversation.kind == ConversationKind.WORLD or conversation.member_count > self._huge_members
        return self._huge if huge else self._groups


def _of_conversations(rate_per_s: float) -> Buckets:
    return Buckets(rate_per_s=rate_per_s, burst=max(1, int(rate_per_s * BURST_S)))


class _Message:
    """One message on its way: a `Proposal`."""

    __slots__ = (
        "_checked",
        "_counted",
        "_ref_seq",
        "_responder",
        "_seen_seq",
        "_send",
        "arrived_at",
        "asker",
        "client_id",
        "client_text",
        "conversation_id",
        "digest",
        "look_up",
        "order",
        "restarted",
        "sent_back",
    )

    def __init__(
        self,
        send: "SendMessage",
        asker: Asker,
        request: SendRequest,
        client_id: bytes,
        checked: Checked,
        responder: Responder,
    ) -> None:
        self.asker = asker
        self.conversation_id = request.conversation_id
        self.client_id = client_id
        self.client_text = request.client_message_id.lower()
        self.digest = checked.digest
        self.look_up = request.attempt > 1
        self.order = 0
        self.arrived_at = 0.0
        self.sent_back = 0
        self.restarted = 0
        self._send = send
        self._responder = responder
        self._checked = checked
        self._ref_seq = request.ref_seq
        self._seen_seq = request.seen_seq
        self._counted: Conversation | None = None

    def word(self, conversation: Conversation, request: RepoRequest) -> None:
        """Decide and word it."""
        asker = self.asker
        place = conversation.place(asker.user_id)
        send = self._send
        refusal = rules.may_send(conversation, place, asker.user_kind, send.clock.now_ms())
        if refusal is not None:
            raise refuse(refusal)
        if self._counted is None:
            send.limits.take(asker, conversation, self.arrived_at)
            self._counted = conversation
        item = request.append
        item.type = self._checked.type
        item.countable = True
        item.body = self._checked.body
        if self._ref_seq:
            item.ref_seq = self._ref_seq
        gap_ms = rules.slow_mode_ms(conversation, place, asker.user_kind, guest_ms=send.guest_slow_mode_ms)
        if gap_ms:
            item.guards.min_gap_ms = gap_ms

    def stored(self, result: AppendResult) -> None:
        """Acknowledge it; only now, as it is on disk."""
        frame = ServerFrame()
        fill_ack(frame.send, result, self.client_text)
        if result.status == APPEND_STATUS_DUPLICATE:
            frame.send.duplicate = True
            if self._counted is not None:
                self._send.limits.give_back(self.asker, self._counted)
        elif self._seen_seq > 0:
            self._send.on_seen(self.asker.user_id, self.conversation_id, self._seen_seq)
        self._responder.answer(encode(frame))

    def failed(self, error: ImError) -> None:
        """Say why not."""
        self._responder.fail(error)


class SendMessage:
    """Checks a message and sends it on its way, without a task or a wait where the conversation is in the cache.

    Args:
        lanes: keep the order, store it.
        on_seen: told what senders had seen.
        clock: for ages and mutes.
        settings: the limits.
    """

    def __init__(self, *, lanes: AppendLanes, on_seen: OnSeen, clock: Clock, settings: MessagingSettings) -> None:
        self._lanes = lanes
        self.on_seen = on_seen
        self.clock = clock
        self.limits = SendLimits(settings)
        self.guest_slow_mode_ms = settings.guest_slow_mode_ms
        self._content = ContentLimits(settings.max_text_bytes, settings.max_custom_bytes, settings.max_mentions)

    def send(self, asker: Asker, request: SendRequest, responder: Responder) -> None:
        """Take a message; the responder gets its ack or its refusal.

        Raises:
            ImError: FIELD_INVALID or TEXT_TOO_LONG: what was never right was never stored.
        """
        client_id = client_ids.parse(request.client_message_id, "client_message_id")
        checked = check_message(request.content, ref_seq=request.ref_seq, limits=self._content)
        message = _Message(self, asker, request, client_id, checked, responder)
        try:
            client_ids.check_age(client_id, self.clock.now_ms())
        except ImError as refusal:
            self._lanes.refuse(message, refusal)
            return
        self._lanes.submit(message)
