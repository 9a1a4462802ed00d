"""The people of the access tests: made once, used by every cell."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.access.asking import Route, routes_of
from tests.integration.access.people import People, gather_people
from tests.integration.access.scenes import Stage
from tests.support.cluster import Cluster
from tests.support.http_client import HttpClient
from tests.support.socket_client import open_session


@pytest.fixture
async def http(cluster: Cluster) -> AsyncIterator[HttpClient]:
    async with HttpClient(cluster.url) as client:
        yield client


@pytest.fixture(scope="session")
def people(cluster: Cluster) -> People:
    async def gather() -> People:
        async with HttpClient(cluster.url) as client:
            return await gather_people(cluster, client)

    return asyncio.run(gather())


@pytest.fixture(scope="session")
def world_id(cluster: Cluster, people: People) -> int:
    async def ask() -> int:
        async with open_session(cluster.socket_url, people.host.access_token) as client:
            return client.session.hello.world_conversation_id

    return asyncio.run(ask())


@pytest.fixture(scope="session")
def routes(cluster: Cluster) -> list[Route]:
    return routes_of(httpx.get(f"{cluster.url}/api/v1/openapi.json", trust_env=False).json())


@pytest.fixture
def stage(cluster: Cluster, http: HttpClient, people: People, world_id: int) -> Stage:
    return Stage(cluster, http, people, world_id)
