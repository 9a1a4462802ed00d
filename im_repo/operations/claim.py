"""Claim an operation id, or find the answer given before."""

from typing import Final

from sqlalchemy import Connection, select

from im_infra import error_table
from im_infra.errors import ImError
from im_repo.insert_absent import insert_absent
from im_repo.schema import OPERATION

OPERATION_ID_BYTES: Final = 16


def claim_operation(
    connection: Connection, user_id: int, operation_id: bytes, *, digest: bytes, answer: bytes, now: int
) -> bytes | None:
    """Claim (user, operation_id) with the answer that will be given if the rest of the transaction succeeds.

    The answer is known beforehand, since ids are made before the transaction; so the claim comes first, and a second
    writer of the same operation waits for the first and then finds its answer.

    Args:
        connection: inside a write transaction.
        user_id: who asks.
        operation_id: 16 bytes, kept across retries.
        digest: 16 bytes of what is asked.
        answer: never one that carries secrets.
        now: the database's time, milliseconds since the epoch.

    Returns:
        None: claimed, have the effect now. Otherwise the answer of the first time.

    Raises:
        ImError: CONFLICT: the id was used for something else; FIELD_INVALID: not 16 bytes.
    """
    if len(operation_id) != OPERATION_ID_BYTES or len(digest) != OPERATION_ID_BYTES:
        raise ImError(error_table.FIELD_INVALID, "operation_id and digest take 16 bytes")
    row = {"user_id": user_id, "operation_id": operation_id, "digest": digest, "answer": answer, "time": now}
    if insert_absent(connection, OPERATION, row):
        return None
    stored = connection.execute(
        select(OPERATION.c.digest, OPERATION.c.answer).where(
            OPERATION.c.user_id == user_id, OPERATION.c.operation_id == operation_id
        )
    ).one()
    if bytes(stored.digest) != digest:
        raise ImError(error_table.CONFLICT, "the operation_id was used for something else")
    return bytes(stored.answer)
