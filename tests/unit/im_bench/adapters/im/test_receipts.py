"""What was received is told with the next message, or after a while by itself."""

import asyncio

import pytest

from im_bench.adapters.im import receipts as module
from im_bench.adapters.im.receipts import Receipts
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_GROUP, CONVERSATION_KIND_WORLD, Conversation
from im_proto.v1.frame_pb2 import ClientFrames


class Connection:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, payload: bytes) -> None:
        self.written.append(payload)


def cursors(payload: bytes) -> dict[int, int]:
    [frame] = ClientFrames.FromString(payload).frames
    return {cursor.conversation_id: cursor.seq for cursor in frame.ack_received.cursors}


async def test_it_goes_along_once_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    receipts, connection = Receipts(), Connection()
    assert receipts.along(connection) == b""
    receipts.note(connection, 7, 1)
    receipts.note(connection, 8, 4)
    receipts.note(connection, 7, 2)
    assert receipts.along(connection) == b"", "a second has not passed"
    monkeypatch.setattr(module, "INTERVAL_S", 0.0)
    assert cursors(receipts.along(connection)) == {7: 2, 8: 4}
    assert receipts.along(connection) == b"", "it is told once"


async def test_it_goes_by_itself_where_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL_S", 0.0)
    monkeypatch.setattr(module, "ALONE_AFTER_S", 0.03)
    receipts, silent, talking = Receipts(), Connection(), Connection()
    with receipts.running():
        receipts.note(talking, 7, 1)
        receipts.note(silent, 7, 1)
        assert receipts.along(talking)
        receipts.note(talking, 7, 2)
        async with asyncio.timeout(5):
            while not (silent.written and talking.written):
                await asyncio.sleep(0.005)
    assert [cursors(one) for one in silent.written] == [{7: 1}]
    assert [cursors(one) for one in talking.written] == [{7: 2}], "what went along is not told again"


async def test_nothing_is_told_of_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL_S", 0.0)
    receipts, connection = Receipts(), Connection()
    receipts.know(Conversation(conversation_id=1, kind=CONVERSATION_KIND_WORLD))
    for conversation_id, members in ((2, 200), (3, 201)):
        kind = CONVERSATION_KIND_GROUP
        receipts.know(Conversation(conversation_id=conversation_id, kind=kind, member_count=members))
    receipts.know(Conversation(conversation_id=4, kind=CONVERSATION_KIND_GROUP, large=True))
    for conversation_id in (1, 3, 4):
        receipts.note(connection, conversation_id, 9)
    assert receipts.along(connection) == b""
    receipts.note(connection, 2, 9)
    assert cursors(receipts.along(connection)) == {2: 9}
