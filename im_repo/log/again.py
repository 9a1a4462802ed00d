"""The same client id a second time: the first ack where it asks the same, a conflict that carries it otherwise."""

from uuid import UUID

from sqlalchemy import Connection, select

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.expressions import read_now_ms
from im_infra.sql.statements import read_together
from im_proto.v1.message_pb2 import SendResponse
from im_repo.log.draft import FirstAck, Stored
from im_repo.log.fanout_class import FanoutBounds, other_fanout
from im_repo.log.message_rows import Identity, stored_answer, stored_question
from im_repo.schema import CONVERSATION


def find_append(connection: Connection, identity: Identity, *, digest: bytes, bounds: FanoutBounds) -> Stored | None:
    """What an earlier append of this identity stored; None: nothing.

    Raises:
        ImError: CONFLICT: something else was stored under this id.
    """
    [rows] = read_together(connection, [stored_question(connection.dialect.name, [identity])])
    first = stored_answer(rows).get(identity)
    if first is None:
        return None
    if first.digest != digest:
        raise conflict(identity, first)
    log = connection.execute(
        select(
            CONVERSATION.c.member_version,
            CONVERSATION.c.deny_version,
            CONVERSATION.c.fanout,
            CONVERSATION.c.epoch,
            CONVERSATION.c.fanout_time,
        ).where(CONVERSATION.c.conversation_id == identity[0])
    ).one()
    now = read_now_ms(connection)
    return Stored(
        conversation_id=identity[0],
        seq=first.seq,
        count=first.count,
        message_id=first.message_id,
        server_time=first.server_time,
        member_version=log.member_version,
        deny_version=log.deny_version,
        fanout=log.fanout,
        epoch=log.epoch,
        duplicate=True,
        previous_fanout=other_fanout(log.fanout, changed_time=log.fanout_time, now=now, bounds=bounds),
    )


def conflict(identity: Identity, first: FirstAck) -> ImError:
    """The id was used for something else; the error carries what was stored as an im.v1.SendResponse."""
    stored = SendResponse(
        conversation_id=identity[0],
        seq=first.seq,
        count=first.count,
        message_id=first.message_id,
        server_time=first.server_time,
        duplicate=True,
        client_message_id=str(UUID(bytes=identity[2])),
    )
    return ImError(error_table.CONFLICT, detail=stored.SerializeToString())
