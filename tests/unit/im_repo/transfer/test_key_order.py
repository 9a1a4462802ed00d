"""Tables are read from end to end, whatever their keys are made of."""

from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select

from im_repo.schema import ENTRY_ACCOUNT, MEMBER_WINDOW, OPERATION
from im_repo.transfer.key_order import key_of, read_batch

WINDOWS = [(conversation, user, first) for conversation in (1, 2, 3) for user in (1, 7) for first in (1, 4, 9)]


def rows(table: Table) -> list[dict[str, Any]]:
    if table is MEMBER_WINDOW:
        names = ("conversation_id", "user_id", "from_seq")
        return [dict(zip(names, key, strict=True)) | {"to_seq": 0} for key in WINDOWS]
    rest = {"digest": bytes(16), "time": 1}
    if table is OPERATION:
        keys = [{"user_id": user, "operation_id": bytes([byte]) * 16} for user in (3, 2) for byte in (255, 0, 39, 92)]
        return [{**key, **rest, "answer": b""} for key in keys]
    devices = ("b", "a", "B", "a'", "a\\")
    return [
        {"device_id": device, "operation_id": bytes([byte]) * 16, "user_id": 1, **rest}
        for device in devices
        for byte in (200, 1)
    ]


@pytest.mark.parametrize("table", [MEMBER_WINDOW, OPERATION, ENTRY_ACCOUNT], ids=lambda table: table.name)
@pytest.mark.parametrize("limit", [1, 4, 100])
def test_every_row_once_and_in_order(connection: Connection, table: Table, limit: int) -> None:
    connection.execute(insert(table), rows(table))
    found: list[tuple[Any, ...]] = []
    while batch := read_batch(connection, table, key_of(table, found[-1]) if found else None, limit=limit):
        assert len(batch) <= limit
        found += batch
    columns = list(table.primary_key.columns)
    assert found == [tuple(row) for row in connection.execute(select(table).order_by(*columns))]
    assert len(found) == len(rows(table))
    keys = [key_of(table, row) for row in found]
    assert keys == sorted(keys), "as Python orders them, so that both sides have one order"
