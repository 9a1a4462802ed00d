"""Adding and removing members, leaving, dissolving: each one entry, decided by repo under the lock."""

from typing import Final

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.errors import ImError
from im_logic.asker import Asker
from im_logic.conversations.conversation import Conversation, Membership, Role
from im_logic.groups import rules
from im_logic.groups.entries import MEMBERS_AN_ENTRY, come_in, go_out, word_notice
from im_logic.groups.people import check_people
from im_logic.messaging import client_ids
from im_logic.messaging.append_lanes import AppendLanes
from im_logic.messaging.digest import digest, number
from im_logic.messaging.operation import append, to_ack
from im_logic.messaging.proposal import refuse
from im_logic.messaging.settings import MessagingSettings
from im_logic.repo_calls import RepoCalls
from im_logic.repo_stream import RepoStream
from im_proto.repo.v1.stream_pb2 import APPEND_STATUS_DUPLICATE, AppendItem, AppendResult
from im_proto.v1 import conversation_pb2
from im_proto.v1.message_pb2 import Dissolved, MembersChange, Notice

MAX_ADDED: Final = MEMBERS_AN_ENTRY


class ChangeMembers:
    """Changes who is in a group.

    Args:
        lanes: store the entries.
        calls: repo, for people.
        repo: reads what a repeated operation had done.
        clock: for the age of ids.
        settings: how large a group may be.
    """

    def __init__(
        self, *, lanes: AppendLanes, calls: RepoCalls, repo: RepoStream, clock: Clock, settings: MessagingSettings
    ) -> None:
        self._lanes = lanes
        self._calls = calls
        self._repo = repo
        self._clock = clock
        self._max_members = settings.group_max_members

    async def add(
        self, asker: Asker, request: conversation_pb2.AddMembersRequest
    ) -> conversation_pb2.AddMembersResponse:
        """Add members; those already in are passed over.

        Raises:
            ImError: FIELD_INVALID, USER_NOT_FOUND, GROUP_FULL, BANNED, or why the caller may not.
        """
        client_id = self._operation_id(request.operation_id)
        added = sorted(set(request.user_ids))
        if not 1 <= len(added) <= MAX_ADDED:
            raise ImError(error_table.FIELD_INVALID, f"user_ids: 1 to {MAX_ADDED}")
        await check_people(self._calls, added)

        def rule(conversation: Conversation, item: AppendItem) -> None:
            refusal = rules.may_change_members(conversation, conversation.place(asker.user_id), asker.user_kind)
            if refusal is not None:
                raise refuse(refusal)
            # The notice names who comes, as far as is known; the fence covers who went meanwhile.
            coming = [user_id for user_id in added if conversation.place(user_id).state != Membership.IN] or added
            word_notice(item, Notice(added=MembersChange(actor_id=asker.user_id, user_ids=coming)))
            come_in(item, coming, role=Role.MEMBER)
            item.guards.sender_min_role = Role.MEMBER
            item.guards.max_members = self._max_members

        said = digest((b"add", *map(number, added)))
        result = await append(self._lanes, asker, request.conversation_id, client_id=client_id, digest=said, rule=rule)
        return conversation_pb2.AddMembersResponse(
            entry=to_ack(result, client_id), user_ids=await self._came_in(result)
        )

    async def leave(
        self, asker: Asker, request: conversation_pb2.LeaveGroupRequest
    ) -> conversation_pb2.LeaveGroupResponse:
        """Leave a group; repo hands the ownership on, and dissolves it behind the last one.

        Raises:
            ImError: why the caller may not.
        """
        client_id = self._operation_id(request.operation_id)

        def rule(conversation: Conversation, item: AppendItem) -> None:
            refusal = rules.may_leave(conversation, conversation.place(asker.user_id))
            if refusal is not None:
                raise refuse(refusal)
            word_notice(item, Notice(left=MembersChange(actor_id=asker.user_id, user_ids=[asker.user_id])))
            go_out(item, asker.user_id, Membership.LEFT)
            item.guards.sender_min_role = Role.MEMBER
            item.effects.hand_on_ownership = True

        result = await append(
            self._lanes, asker, request.conversation_id, client_id=client_id, digest=digest((b"leave",)), rule=rule
        )
        return conversation_pb2.LeaveGroupResponse(entry=to_ack(result, client_id))

    async def remove(
        self, asker: Asker, request: conversation_pb2.RemoveMemberRequest
    ) -> conversation_pb2.RemoveMemberResponse:
        """Remove a member.

        Raises:
            ImError: FIELD_INVALID for oneself, USER_NOT_FOUND, PERMISSION_DENIED, or why the caller may not.
        """
        client_id = self._operation_id(request.operation_id)
        if request.user_id == asker.user_id:
            raise ImError(error_table.FIELD_INVALID, "user_id: somebody else; one leaves by leave_group")

        def rule(conversation: Conversation, item: AppendItem) -> None:
            terms = rules.removal_terms(conversation, conversation.place(asker.user_id))
            if not isinstance(terms, rules.RemovalTerms):
                raise refuse(terms)
            change = MembersChange(actor_id=asker.user_id, user_ids=[request.user_id])
            word_notice(item, Notice(removed=change))
            go_out(item, request.user_id, Membership.REMOVED)
            item.guards.sender_min_role = terms.actor_min_role
            item.guards.subject_max_role = terms.subject_max_role

        said = digest((b"remove", number(request.user_id)))
        result = await append(self._lanes, asker, request.conversation_id, client_id=client_id, digest=said, rule=rule)
        return conversation_pb2.RemoveMemberResponse(entry=to_ack(result, client_id))

    async def dissolve(
        self, asker: Asker, request: conversation_pb2.DissolveGroupRequest
    ) -> conversation_pb2.DissolveGroupResponse:
        """End a group for everybody.

        Raises:
            ImError: why the caller may not.
        """
        client_id = self._operation_id(request.operation_id)

        def rule(conversation: Conversation, item: AppendItem) -> None:
            refusal = rules.may_dissolve(conversation, conversation.place(asker.user_id))
            if refusal is not None:
                raise refuse(refusal)
            word_notice(item, Notice(dissolved=Dissolved(actor_id=asker.user_id)))
            item.guards.sender_min_role = Role.OWNER
            item.effects.dissolve = True

        result = await append(
            self._lanes, asker, request.conversation_id, client_id=client_id, digest=digest((b"dissolve",)), rule=rule
        )
        return conversation_pb2.DissolveGroupResponse(entry=to_ack(result, client_id))

    def _operation_id(self, text: str) -> bytes:
        operation_id = client_ids.parse(text, "operation_id")
        client_ids.check_age(operation_id, self._clock.now_ms())
        return operation_id

    async def _came_in(self, result: AppendResult) -> list[int]:
        """Who was really added; of a repeated operation, as its entry says."""
        changed = result.changed
        if result.status == APPEND_STATUS_DUPLICATE:
            found = await self._repo.read_entries(result.conversation_id, result.seq, result.seq)
            changed = found.entries[0].changed if found.entries else changed
        return [member.user_id for member in changed if member.state == Membership.IN]
