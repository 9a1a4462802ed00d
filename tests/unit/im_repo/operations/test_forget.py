"""Forgetting old operations."""

from sqlalchemy import Connection, insert

from im_repo.operations.claim import claim_operation
from im_repo.operations.forget import KEPT_MS, forget_operations
from im_repo.schema import ENTRY_ACCOUNT


def test_operations_are_kept_for_14_days_and_then_go(connection: Connection) -> None:
    for number in range(3):
        claim_operation(connection, 7, bytes([number]) * 16, digest=bytes(16), answer=b"", now=1_000 + number)
    entry = {"device_id": "phone", "operation_id": bytes(16), "digest": bytes(16), "user_id": 7, "time": 1_000}
    connection.execute(insert(ENTRY_ACCOUNT), entry)
    assert forget_operations(connection, 1_000 + KEPT_MS) == 0
    assert forget_operations(connection, 1_002 + KEPT_MS) == 3
    assert claim_operation(connection, 7, bytes([2]) * 16, digest=bytes(16), answer=b"", now=2) == b""
