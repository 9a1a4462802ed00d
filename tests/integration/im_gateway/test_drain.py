"""Stopping a gateway."""

import asyncio
import time
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from im_gateway.settings import DrainSettings
from im_infra.discovery.abstract import Node
from im_infra.error_table import CloseCode
from im_infra.routing import RouteTable
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import SendRequest


async def test_alone_it_is_gone_within_two_seconds(open_site: Any) -> None:
    drain = DrainSettings(connections_per_s=1)  # a window of one second: room for a question in it
    async with open_site(drain=drain) as site, site.client(1) as client:
        await site.sweep()
        began = time.monotonic()
        draining = asyncio.ensure_future(site.gateway.drain())
        go_away = await client.next()
        assert go_away.HasField("go_away")
        answer = await client.ask(ClientFrame(request_id=5, send=SendRequest()))
        assert answer.HasField("send"), "what clients still ask while it drains is answered"
        await asyncio.wait_for(draining, 5)
        assert time.monotonic() - began < 2.5
        await client.socket.wait_closed()
        assert client.socket.close_code == CloseCode.GOING_AWAY
        assert await RouteTable(site.cache).find_many([1]) == {}


async def test_it_takes_no_further_connection(open_site: Any) -> None:
    async with open_site() as site, site.client(1):
        draining = asyncio.ensure_future(site.gateway.drain())
        await asyncio.sleep(0.05)
        with pytest.raises((InvalidStatus, OSError)):
            async with site.socket():
                pass
        await draining


async def test_nobody_connected_nothing_to_wait_for(open_site: Any) -> None:
    async with open_site() as site:
        began = time.monotonic()
        await site.gateway.drain()
        assert time.monotonic() - began < 0.5


async def test_clients_that_leave_end_the_window_early(open_site: Any) -> None:
    other = Node("gateway", "gw-2", "b", "127.0.0.1:1")
    drain = DrainSettings(min_window_s=30)
    async with open_site(others=(other,), drain=drain) as site:
        async with site.client(1) as client:
            began = time.monotonic()
            draining = asyncio.ensure_future(site.gateway.drain())
            go_away = await client.next()
            assert 29_000 < go_away.go_away.after_ms <= 30_000
        await asyncio.wait_for(draining, 5)
        assert time.monotonic() - began < 3
