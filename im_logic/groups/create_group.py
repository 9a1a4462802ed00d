"""Making a group: its row, then its first entry with the members; more of them in further entries."""

from collections.abc import Sequence
from typing import Final

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.errors import ImError
from im_logic.asker import Asker
from im_logic.conversations.conversation import Conversation, Role
from im_logic.groups.entries import MEMBERS_AN_ENTRY, chunks, come_in, following_id, word_notice
from im_logic.groups.people import check_people
from im_logic.messaging import client_ids
from im_logic.messaging.append_lanes import AppendLanes
from im_logic.messaging.digest import digest, number
from im_logic.messaging.operation import append
from im_logic.messaging.rules import UserKind
from im_logic.repo_calls import RepoCalls
from im_proto.repo.v1.stream_pb2 import AppendItem
from im_proto.v1.conversation_pb2 import CreateGroupRequest, CreateGroupResponse
from im_proto.v1.message_pb2 import MembersChange, Notice

MAX_TITLE: Final = 128
MAX_FIRST_MEMBERS: Final = 499


class CreateGroup:
    """Makes groups.

    Args:
        lanes: store the entries.
        calls: repo.
        clock: for the age of ids.
    """

    def __init__(self, *, lanes: AppendLanes, calls: RepoCalls, clock: Clock) -> None:
        self._lanes = lanes
        self._calls = calls
        self._clock = clock

    async def create(self, asker: Asker, request: CreateGroupRequest) -> CreateGroupResponse:
        """Make a group that the caller owns.

        It happens once per operation id: a repetition goes through the same steps, each of which finds itself done.

        Raises:
            ImError: FIELD_INVALID, PERMISSION_DENIED for guests and of guests, USER_NOT_FOUND, CONFLICT, TOO_OLD.
        """
        operation_id = client_ids.parse(request.operation_id, "operation_id")
        client_ids.check_age(operation_id, self._clock.now_ms())
        if asker.user_kind == UserKind.GUEST:
            raise ImError(error_table.PERMISSION_DENIED, "guests make no groups")
        title = request.title.strip()
        if not 1 <= len(title) <= MAX_TITLE:
            raise ImError(error_table.FIELD_INVALID, f"title: 1 to {MAX_TITLE} characters")
        others = sorted(set(request.user_ids) - {asker.user_id})
        if len(others) > MAX_FIRST_MEMBERS:
            raise ImError(error_table.FIELD_INVALID, f"user_ids: at most {MAX_FIRST_MEMBERS}")
        await check_people(self._calls, others)
        said = digest((b"group", title.encode(), *map(number, others)))
        conversation_id = await self._calls.create_group(
            asker.user_id, title=title, operation_id=operation_id, digest=said
        )
        await self._append_members(asker, conversation_id, operation_id, said, title, others)
        return CreateGroupResponse(head=await self._calls.read_head(asker.user_id, conversation_id))

    async def _append_members(
        self, asker: Asker, conversation_id: int, operation_id: bytes, said: bytes, title: str, others: Sequence[int]
    ) -> None:
        first, rest = others[: MEMBERS_AN_ENTRY - 1], others[MEMBERS_AN_ENTRY - 1 :]

        def found(_: Conversation, item: AppendItem) -> None:
            change = MembersChange(actor_id=asker.user_id, user_ids=first, title=title, owner_id=asker.user_id)
            word_notice(item, Notice(created=change))
            come_in(item, [asker.user_id], role=Role.OWNER)
            come_in(item, first, role=Role.MEMBER)
            item.effects.whole_history = True

        await append(self._lanes, asker, conversation_id, client_id=operation_id, digest=said, rule=found)
        for position, some in enumerate(chunks(rest), start=1):

            def more(_: Conversation, item: AppendItem, some: Sequence[int] = some) -> None:
                word_notice(item, Notice(added=MembersChange(actor_id=asker.user_id, user_ids=some)))
                come_in(item, some, role=Role.MEMBER)
                item.guards.sender_min_role = Role.OWNER
                item.effects.whole_history = True

            client_id = following_id(operation_id, position)
            await append(self._lanes, asker, conversation_id, client_id=client_id, digest=said, rule=more)
