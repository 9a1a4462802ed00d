"""Cursor moves are merged for a while, and not all written in the same moment."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_logic.reading import cursors as module
from im_logic.reading.cursors import SHARES, Cursors
from im_logic.reading.receipts import Moved
from im_proto.repo.v1.stream_pb2 import CursorMove, CursorState
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.read_pb2 import AckReceivedRequest, Cursor, MarkReadRequest

ASKER: Any = type("Asker", (), {"user_id": 5})()
CONVERSATIONS = [(step << 22) | (1 << 12) for step in range(1, 111)]
"""As they are made: the low bits alike."""


class Repo:
    """Writes all it is asked to, and remembers each write."""

    def __init__(self) -> None:
        self.received: list[list[CursorMove]] = []
        self.reads: list[list[CursorMove]] = []

    async def mark_received(self, moves: Sequence[CursorMove]) -> list[CursorState]:
        self.received.append(list(moves))
        return [_state(move) for move in moves]

    async def mark_reads(self, moves: Sequence[CursorMove]) -> list[CursorState]:
        self.reads.append(list(moves))
        return [_state(move) for move in moves]


class Receipts:
    def __init__(self) -> None:
        self.told: list[int] = []
        self.crowds: set[int] = set()

    def wanted(self, conversation_id: int) -> bool:
        return conversation_id not in self.crowds

    async def tell(self, moved: Moved) -> None:
        self.told += [conversation_id for conversation_id, _ in moved.by_conversation()]


class Responder:
    def __init__(self) -> None:
        self.answers: list[bytes] = []

    def answer(self, body: bytes) -> None:
        self.answers.append(body)

    def fail(self, error: ImError) -> None:
        raise error


def _state(move: CursorMove) -> CursorState:
    return CursorState(
        user_id=move.user_id,
        conversation_id=move.conversation_id,
        read_seq=move.seq,
        received_seq=move.seq,
        moved=True,
    )


def make(repo: Repo, receipts: Receipts) -> Cursors:
    anything: Any = repo, receipts
    return Cursors(repo=anything[0], delivery=anything[1], receipts=anything[1], merge_s=0.1)


async def until_told(cursors: Cursors, receipts: Receipts, count: int) -> None:
    running = asyncio.create_task(cursors.run())
    async with asyncio.timeout(10):
        while len(receipts.told) < count:
            await asyncio.sleep(0.001)
    running.cancel()


async def test_a_second_s_moves_are_written_in_shares() -> None:
    repo, receipts = Repo(), Receipts()
    cursors = make(repo, receipts)
    for seq in (1, 3, 2):
        wanted = [Cursor(conversation_id=each, seq=seq) for each in CONVERSATIONS]
        cursors.ack_received(ASKER, AckReceivedRequest(cursors=wanted))
    await until_told(cursors, receipts, len(CONVERSATIONS))
    assert len(repo.received) == SHARES
    assert max(map(len, repo.received)) <= 2 * len(CONVERSATIONS) / SHARES, "no share has much more than its part"
    written = [(move.conversation_id, move.seq) for moves in repo.received for move in moves]
    assert sorted(written) == [(each, 3) for each in CONVERSATIONS], "each once, at its furthest"
    assert sorted(receipts.told) == CONVERSATIONS


async def test_what_was_received_from_a_crowd_is_not_written() -> None:
    repo, receipts = Repo(), Receipts()
    crowd, other = CONVERSATIONS[0], CONVERSATIONS[0] + SHARES  # of one share: written together
    receipts.crowds.add(crowd)
    cursors = make(repo, receipts)
    cursors.ack_received(
        ASKER, AckReceivedRequest(cursors=[Cursor(conversation_id=each, seq=3) for each in (crowd, other)])
    )
    await until_told(cursors, receipts, 1)
    assert [[move.conversation_id for move in moves] for moves in repo.received] == [[other]]


async def test_a_mark_is_answered_after_its_write() -> None:
    repo, receipts, responders = Repo(), Receipts(), (Responder(), Responder())
    cursors = make(repo, receipts)
    for seq, responder in zip((4, 9), responders, strict=True):
        waiting: Any = responder
        cursors.mark_read(ASKER, MarkReadRequest(conversation_id=CONVERSATIONS[0], seq=seq), waiting)
    assert not responders[0].answers
    await until_told(cursors, receipts, 1)
    assert [[move.seq for move in moves] for moves in repo.reads] == [[9]]
    for responder in responders:
        [answer] = responder.answers
        assert ServerFrame.FromString(answer).mark_read.read_seq == 9


async def test_a_full_share_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MOVES", 1)
    cursors = make(Repo(), Receipts())
    responder: Any = Responder()
    cursors.mark_read(ASKER, MarkReadRequest(conversation_id=SHARES, seq=1), responder)
    cursors.mark_read(ASKER, MarkReadRequest(conversation_id=SHARES + 1, seq=1), responder)  # of the next share
    with pytest.raises(ImError) as refused:
        cursors.mark_read(ASKER, MarkReadRequest(conversation_id=2 * SHARES, seq=1), responder)
    assert refused.value.reason is error_table.OVERLOADED
