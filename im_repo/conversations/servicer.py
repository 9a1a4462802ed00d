"""`im.repo.v1.ConversationService`: checks ranges, makes ids, runs units; it decides nothing."""
# ruff: noqa: N802, ARG002 - the names and arguments of methods are the generated base class's

from typing import Any, Final

import grpc
from sqlalchemy import Connection

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.ids.snowflake import Snowflake
from im_infra.rpc.unary import unary_errors
from im_infra.sql.abstract import Database
from im_infra.sql.expressions import read_now_ms
from im_proto.repo.v1 import conversation_pb2 as pb
from im_proto.repo.v1.conversation_pb2_grpc import ConversationServiceServicer
from im_proto.v1.sync_pb2 import Since
from im_repo.account_events.read import read_events
from im_repo.clock import Moment, read_moment
from im_repo.conversations.create_group import create_group
from im_repo.conversations.ensure_world import ensure_world
from im_repo.conversations.head_rows import HeadsQuery
from im_repo.conversations.list_large import list_large
from im_repo.conversations.list_members import list_members, read_member_cursors
from im_repo.conversations.open_direct import OpenedDirect, find_direct, open_direct
from im_repo.conversations.page_token import PageToken
from im_repo.conversations.read_heads import read_heads

Context = grpc.aio.ServicerContext[Any, Any]

MAX_HEADS: Final = 200
DEFAULT_HEADS: Final = 100
MAX_MEMBERS: Final = 500
DEFAULT_MEMBERS: Final = 100
MAX_TITLE: Final = 128
"""Characters; the column's length."""


@unary_errors
class ConversationServicer(ConversationServiceServicer):
    """Serves conversations, heads and account events.

    Cancelling a call never undoes what it began; all of them may be repeated.

    Args:
        database: where they lie.
        ids: makes conversation ids.
    """

    def __init__(self, database: Database, ids: Snowflake) -> None:
        self._database = database
        self._ids = ids

    async def OpenDirect(self, request: pb.OpenDirectRequest, context: Context) -> pb.OpenDirectResponse:
        """Find or make a private conversation; finding it, by far the most frequent case, takes no write lock."""
        user_id, peer_id = request.user_id, request.peer_id
        found = await self._database.read(lambda connection: find_direct(connection, user_id, peer_id))
        if found is not None:
            return pb.OpenDirectResponse(conversation_id=found)
        new_id = self._ids.next_id()

        def unit(connection: Connection) -> OpenedDirect:
            return open_direct(connection, user_id, peer_id, new_id=new_id, now=read_now_ms(connection))

        opened = await self._database.write(unit)
        return pb.OpenDirectResponse(conversation_id=opened.conversation_id, created=opened.created)

    async def CreateGroup(self, request: pb.CreateGroupRequest, context: Context) -> pb.CreateGroupResponse:
        """Make a group's row once per (user, operation_id)."""
        title = _title(request.title)
        new_id = self._ids.next_id()

        def unit(connection: Connection) -> int:
            return create_group(
                connection,
                request.user_id,
                title=title,
                operation_id=request.operation_id,
                digest=request.digest,
                new_id=new_id,
                now=read_now_ms(connection),
            )

        return pb.CreateGroupResponse(conversation_id=await self._database.write(unit))

    async def EnsureWorld(self, request: pb.EnsureWorldRequest, context: Context) -> pb.EnsureWorldResponse:
        """Make the world room, or bring its settings up to date."""
        title = _title(request.title)

        def unit(connection: Connection) -> int:
            now = read_now_ms(connection)
            return ensure_world(connection, title=title, slow_mode_ms=request.slow_mode_ms, now=now)

        return pb.EnsureWorldResponse(conversation_id=await self._database.write(unit))

    async def ReadHeads(self, request: pb.ReadHeadsRequest, context: Context) -> pb.ReadHeadsResponse:
        """Read a page of heads; every page tells the moment before the first."""
        token = PageToken.decode(request.page_token) if request.page_token else None
        ids = tuple(request.conversation_ids)
        query = HeadsQuery(
            user_id=request.user_id,
            conversation_ids=ids,
            since_time=request.since_time,
            before=(token.last_time, token.conversation_id) if token else None,
            world_conversation_id=request.world_conversation_id,
            limit=max(_size(request.page_size, DEFAULT_HEADS, MAX_HEADS), min(len(ids), MAX_HEADS)),
        )
        return await self._database.read(lambda connection: _read_heads(connection, query, token))

    async def BeginSync(self, request: pb.BeginSyncRequest, context: Context) -> pb.BeginSyncResponse:
        """Read account events and the first page of heads."""
        return await self._database.read(lambda connection: _begin_sync(connection, request))

    async def ReadAccountEvents(
        self, request: pb.ReadAccountEventsRequest, context: Context
    ) -> pb.ReadAccountEventsResponse:
        """Read what a user's devices missed, for a logic of the version before."""
        found = await self._database.read(
            lambda connection: read_events(connection, request.user_id, after_pts=request.pts)
        )
        return pb.ReadAccountEventsResponse(events=found.events, max_pts=found.max_pts, reset=found.reset)

    async def ListLarge(self, request: pb.ListLargeRequest, context: Context) -> pb.ListLargeResponse:
        """List large memberships."""
        members = await self._database.read(
            lambda connection: list_large(connection, request.user_id, world_id=request.world_id)
        )
        return pb.ListLargeResponse(members=members)

    async def ListMembers(self, request: pb.ListMembersRequest, context: Context) -> pb.ListMembersResponse:
        """List those who are in."""
        limit = _size(request.page_size, DEFAULT_MEMBERS, MAX_MEMBERS)
        members = await self._database.read(
            lambda connection: list_members(
                connection, request.conversation_id, after_user_id=request.after_user_id, limit=limit
            )
        )
        return pb.ListMembersResponse(members=members)

    async def ReadCursors(self, request: pb.ReadCursorsRequest, context: Context) -> pb.ReadCursorsResponse:
        """Read the cursors of those who are in; of the first 500 where there are more."""
        cursors = await self._database.read(
            lambda connection: read_member_cursors(connection, request.conversation_id, limit=MAX_MEMBERS)
        )
        return pb.ReadCursorsResponse(cursors=cursors)


def _read_heads(connection: Connection, query: HeadsQuery, token: PageToken | None) -> pb.ReadHeadsResponse:
    # The moment before the first row: what commits later moved after it.
    moment = Moment(token.now_time, token.clock_generation) if token else read_moment(connection)
    return _page(connection, query, moment)


def _begin_sync(connection: Connection, request: pb.BeginSyncRequest) -> pb.BeginSyncResponse:
    moment = read_moment(connection)
    events = read_events(connection, request.user_id, after_pts=request.pts)
    since = request.since
    query = HeadsQuery(
        user_id=request.user_id,
        since_time=0 if events.reset or since.clock_generation != moment.generation else since.time,
        world_conversation_id=request.world_conversation_id,
        limit=_size(request.page_size, DEFAULT_HEADS, MAX_HEADS),
    )
    return pb.BeginSyncResponse(
        events=events.events,
        max_pts=events.max_pts,
        reset=events.reset,
        heads=_page(connection, query, moment),
        since_time=query.since_time,
    )


def _page(connection: Connection, query: HeadsQuery, moment: Moment) -> pb.ReadHeadsResponse:
    page = read_heads(connection, query)
    return pb.ReadHeadsResponse(
        heads=page.heads,
        next_page_token=PageToken(*page.last, *moment).encode() if page.last else "",
        now=Since(time=moment.time, clock_generation=moment.generation),
    )


def _size(asked: int, default: int, greatest: int) -> int:
    return min(asked, greatest) if asked > 0 else default


def _title(title: str) -> str:
    if not 1 <= len(title) <= MAX_TITLE:
        raise ImError(error_table.FIELD_INVALID, f"title takes 1 to {MAX_TITLE} characters")
    return title
