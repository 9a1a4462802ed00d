"""The conversation service."""

from typing import Any

import pytest
from sqlalchemy import Connection, insert

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.rpc.in_process.channel import InProcessChannel
from im_infra.rpc.in_process.server import InProcessServer
from im_infra.rpc.unary import call_unary
from im_infra.sql.sqlite import SqliteDatabase
from im_proto.repo.v1 import conversation_pb2 as pb
from im_proto.repo.v1.conversation_pb2_grpc import (
    ConversationServiceStub,
    add_ConversationServiceServicer_to_server,
)
from im_proto.v1.sync_pb2 import Since
from im_repo.conversations.servicer import ConversationServicer
from im_repo.schema import CLOCK


@pytest.fixture
async def stub(database: SqliteDatabase, ids: Any, seed_in: Any) -> ConversationServiceStub:
    await database.write(lambda connection: seed_in(connection).user(7, 8, 9))
    server = InProcessServer()
    add_ConversationServiceServicer_to_server(ConversationServicer(database, ids), server)
    return ConversationServiceStub(InProcessChannel(server))


async def call(method: Any, request: Any) -> Any:
    return await call_unary(method, request, timeout_s=5)


async def refusal(method: Any, request: Any) -> error_table.Reason:
    with pytest.raises(ImError) as caught:
        await call(method, request)
    return caught.value.reason


async def test_a_private_chat_is_made_once_and_listed_for_both(stub: Any) -> None:
    made = await call(stub.OpenDirect, pb.OpenDirectRequest(user_id=7, peer_id=8))
    found = await call(stub.OpenDirect, pb.OpenDirectRequest(user_id=8, peer_id=7))
    assert (made.created, found.created, made.conversation_id) == (True, False, found.conversation_id)
    for user_id in (7, 8):
        heads = (await call(stub.ReadHeads, pb.ReadHeadsRequest(user_id=user_id))).heads
        assert [head.conversation.conversation_id for head in heads] == [made.conversation_id]
        sync = await call(stub.BeginSync, pb.BeginSyncRequest(user_id=user_id))
        assert (sync.max_pts, sync.reset, len(sync.events)) == (1, False, 1)
        assert sync.heads.heads == heads
        events = await call(stub.ReadAccountEvents, pb.ReadAccountEventsRequest(user_id=user_id))
        assert (events.max_pts, events.reset, events.events) == (1, False, sync.events)
    members = await call(stub.ListMembers, pb.ListMembersRequest(conversation_id=made.conversation_id))
    assert [member.user_id for member in members.members] == [7, 8]
    cursors = await call(stub.ReadCursors, pb.ReadCursorsRequest(conversation_id=made.conversation_id))
    assert [cursor.user_id for cursor in cursors.cursors] == [7, 8]


async def test_a_stranger_is_not_found(stub: Any) -> None:
    asked = pb.OpenDirectRequest(user_id=7, peer_id=99)
    assert await refusal(stub.OpenDirect, asked) is error_table.USER_NOT_FOUND


async def test_a_group_is_made_once_per_operation(stub: Any) -> None:
    asked = pb.CreateGroupRequest(user_id=7, title="Tea", operation_id=bytes(16), digest=bytes(16))
    first = await call(stub.CreateGroup, asked)
    assert (await call(stub.CreateGroup, asked)).conversation_id == first.conversation_id
    for title in ("", "x" * 129):
        asked.title = title
        assert await refusal(stub.CreateGroup, asked) is error_table.FIELD_INVALID


async def test_the_world_room_is_in_the_heads_of_everybody_who_asks_for_it(stub: Any) -> None:
    world = (await call(stub.EnsureWorld, pb.EnsureWorldRequest(title="World"))).conversation_id
    answer = await call(stub.ReadHeads, pb.ReadHeadsRequest(user_id=7, world_conversation_id=world))
    assert [head.conversation.title for head in answer.heads] == ["World"]
    assert (await call(stub.ListLarge, pb.ListLargeRequest(user_id=7))).members == []
    [member] = (await call(stub.ListLarge, pb.ListLargeRequest(user_id=7, world_id=world))).members
    assert member.conversation_id == world


async def fill(database: SqliteDatabase, seed_in: Any) -> None:
    """Five conversations of user 7, of which the fifth moved last; the clock is of its third generation."""

    def unit(connection: Connection) -> None:
        seed = seed_in(connection)
        for conversation_id in range(1, 6):
            seed.conversation(conversation_id, 7, now=conversation_id)
        connection.execute(insert(CLOCK), {"id": 1, "high_time": 1, "generation": 3})

    await database.write(unit)


async def test_every_page_tells_the_moment_before_the_first(stub: Any, database: SqliteDatabase, seed_in: Any) -> None:
    await fill(database, seed_in)
    asked = pb.ReadHeadsRequest(user_id=7, page_size=2)
    pages = [await call(stub.ReadHeads, asked)]
    while token := pages[-1].next_page_token:
        asked.page_token = token
        pages.append(await call(stub.ReadHeads, asked))
    assert [len(page.heads) for page in pages] == [2, 2, 1]
    assert {page.now.time for page in pages} == {pages[0].now.time}
    assert {page.now.clock_generation for page in pages} == {3}
    assert pages[0].now.time > 10**12


@pytest.mark.parametrize(
    ("pts", "generation", "told", "since_time", "reset"),
    [(0, 3, 2, 4, False), (0, 2, 5, 0, False), (9, 3, 5, 0, True)],
    ids=["since", "another generation", "reset"],
)
async def test_a_sync_begins_with_what_moved_where_that_can_be_told(
    stub: Any,
    database: SqliteDatabase,
    seed_in: Any,
    pts: int,
    generation: int,
    told: int,
    since_time: int,
    reset: bool,
) -> None:
    await fill(database, seed_in)
    since = Since(time=4, clock_generation=generation)
    begun = await call(stub.BeginSync, pb.BeginSyncRequest(user_id=7, pts=pts, since=since, page_size=1))
    assert (begun.since_time, begun.reset, begun.heads.now.clock_generation) == (since_time, reset, 3)
    found, asked = list(begun.heads.heads), pb.ReadHeadsRequest(user_id=7, since_time=since_time, page_size=1)
    asked.page_token = begun.heads.next_page_token
    while asked.page_token:
        page = await call(stub.ReadHeads, asked)
        assert page.now == begun.heads.now
        found += page.heads
        asked.page_token = page.next_page_token
    assert [head.conversation.conversation_id for head in found] == [5, 4, 3, 2, 1][:told]


async def test_a_foreign_page_token_is_refused(stub: Any) -> None:
    asked = pb.ReadHeadsRequest(user_id=7, page_token="nonsense")
    assert await refusal(stub.ReadHeads, asked) is error_table.PAGE_TOKEN_INVALID
