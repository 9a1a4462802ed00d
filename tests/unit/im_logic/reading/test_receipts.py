from dataclasses import replace
from typing import Any

from im_infra.clock import ManualClock
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import ConversationKind
from im_logic.reading.receipts import Moved, Receipts, audience
from im_logic.repo_stream import RepoStream
from im_proto.v1.frame_pb2 import ServerFrame
from tests.logic_support.scripted_repo import ScriptedRepo, group
from tests.logic_support.states import conversation

GROUP = conversation(1, 2, 3)


class Told:
    def __init__(self) -> None:
        self.frames: list[tuple[list[int], ServerFrame, bool]] = []

    def deliver_to_users(self, user_ids: Any, frame: bytes, *, ephemeral: bool = False) -> None:
        self.frames.append((list(user_ids), ServerFrame.FromString(frame), ephemeral))


def test_everybody_else_hears_of_one_mover_and_all_of_several() -> None:
    assert audience(GROUP, [2], max_members=3) == [1, 3]
    assert audience(GROUP, [1, 2], max_members=3) == [1, 2, 3]


def test_nobody_hears_of_it_in_large_groups_and_the_world_room() -> None:
    assert audience(GROUP, [2], max_members=2) == []
    assert audience(replace(GROUP, kind=ConversationKind.WORLD), [2], max_members=3) == []
    assert audience(replace(GROUP, complete=False), [2], max_members=3) == []


async def test_receipts_are_wanted_where_somebody_is_told() -> None:
    repo = ScriptedRepo()
    for conversation_id, members in ((5, (1, 2)), (6, (1, 2, 3))):
        repo.states[conversation_id] = group(conversation_id, *members)
    cache = ConversationCache(RepoStream(repo), ManualClock(), max_conversations=10)
    receipts = Receipts(cache=cache, teller=Told(), max_members=2)
    assert receipts.wanted(6), "nobody knows yet"
    for conversation_id in (5, 6):
        await cache.fetch(conversation_id, 1)
    assert receipts.wanted(5)
    assert not receipts.wanted(6)


async def test_one_frame_a_conversation_says_who_is_where() -> None:
    repo, told = ScriptedRepo(), Told()
    repo.states[5] = group(5, 1, 2)
    cache = ConversationCache(RepoStream(repo), ManualClock(), max_conversations=10)
    moved = Moved()
    moved.read(2, 5, 7)
    moved.received(2, 5, 8)
    moved.read(1, 404, 1)
    await Receipts(cache=cache, teller=told, max_members=200).tell(moved)
    ((users, frame, ephemeral),) = told.frames
    assert (users, ephemeral) == ([1], True)
    (receipt,) = frame.receipt_push.receipts
    assert (receipt.user_id, receipt.read_seq, receipt.received_seq) == (2, 7, 8)
