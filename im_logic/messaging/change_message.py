"""Recalling and editing messages."""

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.errors import ImError
from im_logic.asker import Asker
from im_logic.conversations.conversation import Conversation
from im_logic.messaging import client_ids, rules
from im_logic.messaging.append_lanes import AppendLanes
from im_logic.messaging.content import ContentLimits, check_edit
from im_logic.messaging.digest import digest, number
from im_logic.messaging.operation import append, to_ack
from im_logic.messaging.proposal import refuse
from im_logic.messaging.settings import MessagingSettings
from im_proto.repo.v1.stream_pb2 import AppendItem
from im_proto.v1.message_pb2 import (
    MESSAGE_TYPE_CUSTOM,
    MESSAGE_TYPE_EDIT,
    MESSAGE_TYPE_RECALL,
    MESSAGE_TYPE_TEXT,
    EditMessageRequest,
    EditMessageResponse,
    RecallMessageRequest,
    RecallMessageResponse,
)


class ChangeMessage:
    """Recall and edit: each is an entry of the log whose guards repo checks against the target.

    Args:
        lanes: keep the order, store the entry.
        clock: for ages and mutes.
        settings: the window of change and the limits of a text.
    """

    def __init__(self, *, lanes: AppendLanes, clock: Clock, settings: MessagingSettings) -> None:
        self._lanes = lanes
        self._clock = clock
        self._window_ms = settings.change_window_ms
        self._limits = ContentLimits(settings.max_text_bytes, settings.max_custom_bytes, settings.max_mentions)

    async def recall(self, asker: Asker, request: RecallMessageRequest) -> RecallMessageResponse:
        """Recall a message for everybody: an own one within the window, or anybody's as an admin of the group.

        Raises:
            ImError: MESSAGE_NOT_FOUND, TARGET_RECALLED, TARGET_TOO_OLD, PERMISSION_DENIED, or why nothing may be done here.
        """
        client_id = client_ids.parse(request.operation_id, "operation_id")
        _check_target(request.seq)

        def rule(conversation: Conversation, item: AppendItem) -> None:
            place = conversation.place(asker.user_id)
            refusal = rules.may_act(conversation, place)
            if refusal is not None:
                raise refuse(refusal)
            item.type = MESSAGE_TYPE_RECALL
            item.ref_seq = request.seq
            item.effects.blank_target = True
            item.guards.target_unrecalled = True
            item.guards.target_types.extend((MESSAGE_TYPE_TEXT, MESSAGE_TYPE_CUSTOM))
            if not rules.may_recall_others(conversation, place, asker.user_kind):
                item.guards.target_sender_id = asker.user_id
                item.guards.target_max_age_ms = self._window_ms

        said = digest((b"recall", number(request.seq)))
        result = await append(self._lanes, asker, request.conversation_id, client_id=client_id, digest=said, rule=rule)
        return RecallMessageResponse(entry=to_ack(result, client_id))

    async def edit(self, asker: Asker, request: EditMessageRequest) -> EditMessageResponse:
        """Replace the text of an own message within the window; who may not send here may not edit either.

        Raises:
            ImError: MESSAGE_NOT_FOUND, TARGET_RECALLED, TARGET_TOO_OLD, TEXT_TOO_LONG, or why nothing may be said here.
        """
        client_id = client_ids.parse(request.operation_id, "operation_id")
        _check_target(request.seq)
        checked = check_edit(request.text, seq=request.seq, limits=self._limits)

        def rule(conversation: Conversation, item: AppendItem) -> None:
            place = conversation.place(asker.user_id)
            refusal = rules.may_send(conversation, place, asker.user_kind, self._clock.now_ms())
            if refusal is not None:
                raise refuse(refusal)
            item.type = MESSAGE_TYPE_EDIT
            item.ref_seq = request.seq
            item.body = checked.body
            item.effects.edit_target = True
            item.guards.target_unrecalled = True
            item.guards.target_sender_id = asker.user_id
            item.guards.target_max_age_ms = self._window_ms
            item.guards.target_types.append(MESSAGE_TYPE_TEXT)

        result = await append(
            self._lanes, asker, request.conversation_id, client_id=client_id, digest=checked.digest, rule=rule
        )
        return EditMessageResponse(entry=to_ack(result, client_id))


def _check_target(seq: int) -> None:
    if seq < 1:
        raise ImError(error_table.FIELD_INVALID, "seq: 1 or more")
