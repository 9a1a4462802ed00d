"""Conversations of more than two people, on our gateway."""

from collections.abc import Sequence
from typing import Final, cast

from im_bench.adapters.abstract import Client, Joined
from im_bench.adapters.im.connection import Connection
from im_bench.message_id import MessageIds
from im_proto.v1.conversation_pb2 import AddMembersRequest, CreateGroupRequest, GetConversationRequest
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.read_pb2 import ViewRequest

AT_CREATION: Final = 499
"""Members that may be named when a group is made."""
AT_ONCE: Final = 100
"""Members that may be added by one request."""
_IDS: Final = MessageIds()


async def make_group(client: Client, user_ids: Sequence[int]) -> Joined:
    """A group of the client's user and these.

    Raises:
        AdapterError: the server refuses, or the connection is gone.
    """
    connection = cast("Connection", client)
    others = [user_id for user_id in user_ids if user_id != connection.hello.user.user_id]
    create = CreateGroupRequest(title="im bench", user_ids=others[:AT_CREATION], operation_id=_IDS.next())
    answer = await connection.call(ClientFrame(create_group=create))
    conversation_id = answer.create_group.head.conversation.conversation_id
    for start in range(AT_CREATION, len(others), AT_ONCE):
        some = others[start : start + AT_ONCE]
        add = AddMembersRequest(conversation_id=conversation_id, user_ids=some, operation_id=_IDS.next())
        await connection.call(ClientFrame(add_members=add))
    return await find_room(client, conversation_id)


async def find_room(client: Client, conversation_id: int) -> Joined:
    """A conversation that is there, and where its log stands now; this process knows its size from then on.

    Raises as `make_group`.
    """
    connection = cast("Connection", client)
    ask = ClientFrame(get_conversation=GetConversationRequest(conversation_id=conversation_id))
    head = (await connection.call(ask)).get_conversation.head
    connection.know(head.conversation)
    return Joined(conversation_id, head.max_seq)


async def put_on_screen(client: Client, conversation_id: int) -> None:
    """Have every message of a large conversation pushed, not only its head. Raises as `make_group`."""
    view = ViewRequest(conversation_ids=[conversation_id])
    await cast("Connection", client).call(ClientFrame(view=view))


def world_of(client: Client) -> int:
    """The world room's conversation id."""
    return cast("Connection", client).hello.world_conversation_id
