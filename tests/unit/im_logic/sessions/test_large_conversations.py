"""A user's large conversations."""
# ruff: noqa: N802 - gRPC names them

from collections.abc import AsyncIterator

import grpc
import pytest

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
        self.world = [pb.LargeMember(conversation_id=WORLD, from_seq=5, member_version=2)]
        self.ensured = 0
        self.away = False

    async def ListLarge(self, request: pb.ListLargeRequest, context: grpc.aio.ServicerContext) -> pb.ListLargeResponse:
        assert request.user_id == USER
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        return pb.ListLargeResponse(members=[*self.members, *(self.world if request.world_id == WORLD else [])])

    async def EnsureWorld(
        self, request: pb.EnsureWorldRequest, context: grpc.aio.ServicerContext
    ) -> pb.EnsureWorldResponse:
        self.ensured += 1
        return pb.EnsureWorldResponse(conversation_id=WORLD)


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
    return RepoLargeConversations(repos, World(WorldSettings(enabled=enabled), repos, timeout_s=5), timeout_s=0.3)


async def test_the_world_room_comes_with_the_members_rows(repo: Repo, repos: ServicePool) -> None:
    conversations = large(repo, repos)
    found = await conversations.list_large(USER)
    assert found == [LargeMembership(50, 3, 9), LargeMembership(WORLD, 5, 2)]
    assert await conversations.world_id() == WORLD
    assert repo.ensured == 1, "its id is asked for once"


async def test_without_a_world_room_there_are_only_groups(repo: Repo, repos: ServicePool) -> None:
    conversations = large(repo, repos, enabled=False)
    assert await conversations.list_large(USER) == [LargeMembership(50, 3, 9)]
    assert await conversations.world_id() == 0
    assert repo.ensured == 0


async def test_a_list_that_cannot_be_read_is_an_error(repo: Repo, repos: ServicePool) -> None:
    repo.away = True
    with pytest.raises(ImError):
        await large(repo, repos).list_large(USER)
