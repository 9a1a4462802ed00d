"""A user's large conversations."""
# ruff: noqa: N802 - gRPC names them

from collections.abc import AsyncIterator, Callable

import grpc
import pytest

from im_infra import error_table
from im_infra.clock import SystemClock
from im_infra.discovery.abstract import Node
from im_infra.discovery.static import StaticDiscovery
from im_infra.errors import ImError
from im_infra.rpc.channels import Channels
from im_infra.rpc.in_process import InProcessServer
from im_infra.rpc.service_pool import ServicePool
from im_infra.sql.sqlite import SqliteDatabase
from im_logic.sessions.large_conversations import RepoLargeConversations
from im_logic.sessions.ports import LargeMembership
from im_logic.settings import WorldSettings
from im_logic.world import World
from im_proto.repo.v1 import conversation_pb2 as pb
from im_proto.repo.v1.conversation_pb2_grpc import (
    ConversationServiceServicer,
    add_ConversationServiceServicer_to_server,
)

USER = 7
WORLD = 1


class Repo(ConversationServiceServicer):  # type: ignore[misc]  # only what is asked here
    """Answers from two lists."""

    def __init__(self) -> None:
        self.members = [pb.LargeMember(conversation_id=50, from_seq=3, member_version=9)]
        self.world = pb.ConversationState(
            conversation_id=WORLD, kind=3, status=1, fanout=2, min_seq=5, member_version=2
        )
        self.ensured = 0
        self.error: ImError | None = None

    async def ListLarge(self, request: pb.ListLargeRequest, context: grpc.aio.ServicerContext) -> pb.ListLargeResponse:
        return pb.ListLargeResponse(members=self.members)

    async def EnsureWorld(
        self, request: pb.EnsureWorldRequest, context: grpc.aio.ServicerContext
    ) -> pb.EnsureWorldResponse:
        self.ensured += 1
        return pb.EnsureWorldResponse(conversation_id=WORLD)

    def load_conversation(
        self,
        conversation_id: int,
        user_id: int,
        on_state: Callable[[pb.ConversationState | None, ImError | None], None],
    ) -> None:
        assert (conversation_id, user_id) == (WORLD, USER)
        if self.error is not None:
            on_state(None, self.error)
        else:
            on_state(self.world, None)


Repo.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


@pytest.fixture
def repo() -> Repo:
    return Repo()


@pytest.fixture
async def repos(repo: Repo, database: SqliteDatabase) -> AsyncIterator[ServicePool]:
    server = InProcessServer()
    add_ConversationServiceServicer_to_server(repo, server)
    discovery = StaticDiscovery([Node("repo", "r", "b", "in-process:repo")], database, SystemClock())
    channels = Channels({"repo": server})
    yield ServicePool("repo", discovery=discovery, channels=channels)
    await channels.close()


def large(repo: Repo, repos: ServicePool, *, enabled: bool = True) -> RepoLargeConversations:
    return RepoLargeConversations(repos, World(WorldSettings(enabled=enabled), repos, timeout_s=5), repo, timeout_s=5)


async def test_the_world_room_comes_with_the_members_rows(repo: Repo, repos: ServicePool) -> None:
    conversations = large(repo, repos)
    found = await conversations.list_large(USER)
    assert found == [LargeMembership(50, 3, 9), LargeMembership(WORLD, 5, 2)]
    assert await conversations.world_id() == WORLD
    assert repo.ensured == 1, "its id is asked for once"


async def test_a_moderators_row_of_the_world_room_is_not_listed_twice(repo: Repo, repos: ServicePool) -> None:
    repo.members = [pb.LargeMember(conversation_id=WORLD, from_seq=1, member_version=1)]
    assert [one.conversation_id for one in await large(repo, repos).list_large(USER)] == [WORLD]


async def test_who_is_banned_from_the_world_room_gets_no_interest_in_it(repo: Repo, repos: ServicePool) -> None:
    row = pb.MemberRow(user_id=USER, role=1, state=4, windows=[pb.Window(from_seq=1, to_seq=9)])
    repo.world.members.append(row)
    assert await large(repo, repos).list_large(USER) == [LargeMembership(50, 3, 9)]


async def test_without_a_world_room_there_are_only_groups(repo: Repo, repos: ServicePool) -> None:
    conversations = large(repo, repos, enabled=False)
    assert await conversations.list_large(USER) == [LargeMembership(50, 3, 9)]
    assert await conversations.world_id() == 0
    assert repo.ensured == 0


async def test_a_world_room_that_cannot_be_read_is_an_error(repo: Repo, repos: ServicePool) -> None:
    repo.error = ImError(error_table.UNAVAILABLE)
    with pytest.raises(ImError):
        await large(repo, repos).list_large(USER)
