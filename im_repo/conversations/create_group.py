"""Make a group's row; its members come with the first append."""

from sqlalchemy import Connection, insert

from im_proto.repo.v1.conversation_pb2 import CreateGroupResponse
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_GROUP
from im_repo.conversations.make import NewConversation, conversation_row
from im_repo.operations.claim import claim_operation
from im_repo.schema import CONVERSATION


def create_group(
    connection: Connection, user_id: int, *, title: str, operation_id: bytes, digest: bytes, new_id: int, now: int
) -> int:
    """Make a group's row once per (user, operation_id), and return its id.

    A group whose maker is lost between this and the first append has no members: nobody sees it, and the retry of the
    same operation goes on with it.

    Args:
        connection: inside a write transaction.
        user_id: the owner.
        title: for people.
        operation_id: 16 bytes, kept across retries.
        digest: 16 bytes of what is asked.
        new_id: the id of the group if it has to be made.
        now: the database's time, milliseconds since the epoch.

    Raises:
        ImError: CONFLICT: the operation id was used for something else.
    """
    answer = CreateGroupResponse(conversation_id=new_id).SerializeToString()
    earlier = claim_operation(connection, user_id, operation_id, digest=digest, answer=answer, now=now)
    if earlier is not None:
        return CreateGroupResponse.FromString(earlier).conversation_id
    new = NewConversation(conversation_id=new_id, kind=CONVERSATION_KIND_GROUP, title=title, owner_id=user_id)
    connection.execute(insert(CONVERSATION), conversation_row(new, now))
    return new_id
