"""The world room's id."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from im_infra import error_table
from im_infra.clock import SystemClock
from im_infra.discovery.abstract import Node
from im_infra.discovery.static import StaticDiscovery
from im_infra.errors import ImError
from im_infra.ids.snowflake import Snowflake
from im_infra.rpc.channels import Channels
from im_infra.rpc.in_process import InProcessServer
from im_infra.rpc.service_pool import ServicePool
from im_infra.sql.sqlite import SqliteDatabase
from im_logic.settings import WorldSettings
from im_logic.world import World
from im_proto.repo.v1.conversation_pb2_grpc import add_ConversationServiceServicer_to_server
from im_repo.conversations.servicer import ConversationServicer


@pytest.fixture
async def repos(database: SqliteDatabase, lease: Any) -> AsyncIterator[ServicePool]:
    server = InProcessServer()
    add_ConversationServiceServicer_to_server(ConversationServicer(database, Snowflake(lease, SystemClock())), server)
    discovery = StaticDiscovery([Node("repo", "repo-1", "boot", "in-process:repo")], database, SystemClock())
    channels = Channels({"repo": server})
    yield ServicePool("repo", discovery=discovery, channels=channels)
    await channels.close()


async def test_it_is_made_once_and_known_from_then_on(repos: ServicePool) -> None:
    world = World(WorldSettings(), repos, timeout_s=5)
    made = await world.ensure()
    assert made > 0
    assert made == await world.ensure() == await World(WorldSettings(), repos, timeout_s=5).ensure()


async def test_where_there_is_none_repo_is_not_asked(database: SqliteDatabase) -> None:
    nobody = ServicePool("repo", discovery=StaticDiscovery([], database), channels=Channels())
    assert await World(WorldSettings(enabled=False), nobody, timeout_s=5).ensure() == 0
    with pytest.raises(ImError) as caught:
        await World(WorldSettings(), nobody, timeout_s=0.01).ensure()
    assert caught.value.reason is error_table.UNAVAILABLE


async def test_it_is_made_at_the_start_for_those_who_never_say_hello(repos: ServicePool) -> None:
    world = World(WorldSettings(), repos, timeout_s=5)
    await world.run()
    assert await world.ensure() > 0


async def test_the_start_waits_for_a_repo_that_is_not_up_yet(database: SqliteDatabase) -> None:
    nobody = ServicePool("repo", discovery=StaticDiscovery([], database), channels=Channels())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await World(WorldSettings(), nobody, timeout_s=0.01).run()
