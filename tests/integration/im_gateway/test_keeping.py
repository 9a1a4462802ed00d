"""What keeps a connection, and what ends it."""

import asyncio
import time
from typing import Any

import pytest

from im_gateway.settings import ConnectionSettings, LimitSettings
from im_infra import error_table
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_infra.routing import RouteTable
from im_proto.gateway.v1.gateway_pb2 import CloseConnection, GatewayPush
from im_proto.logic.v1.account_pb2 import Revocation
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import Message, MessagePush, SendRequest, TypingRequest
from im_proto.v1.session_pb2 import PingRequest, RefreshRequest


async def close_code(client: Any) -> int:
    async with asyncio.timeout(5):
        await client.socket.wait_closed()
    return int(client.socket.close_code)


async def test_a_silent_connection_is_dead(open_site: Any) -> None:
    settings = ConnectionSettings(silence_timeout_s=0.3)
    async with open_site(connections=settings) as site, site.client() as client:
        assert await close_code(client) == CloseCode.HEARTBEAT_MISSED


async def test_an_expired_token_ends_it_unless_refreshed(open_site: Any) -> None:
    settings = ConnectionSettings(token_grace_s=0)
    async with (
        open_site(connections=settings) as site,
        site.client(access_token=site.token(1, expires_in_s=1)) as stale,
        site.client(access_token=site.token(1, expires_in_s=1), instance_id="tab-2") as fresh,
    ):
        refresh = RefreshRequest(access_token=site.token(1, expires_in_s=900))
        answer = await fresh.ask(ClientFrame(request_id=2, refresh=refresh))
        assert answer.refresh.expire_time > (time.time() + 800) * 1000
        assert await close_code(stale) == CloseCode.TOKEN_STALE
        assert (await fresh.ask(ClientFrame(request_id=3, ping=PingRequest()))).HasField("ping")


@pytest.mark.parametrize(
    ("claims", "name"),
    [({"user_id": 2}, "UNAUTHENTICATED"), ({"user_id": 1, "generation": 0}, "SESSION_REVOKED")],
)
async def test_a_refresh_with_anothers_token_is_refused(open_site: Any, claims: dict[str, int], name: str) -> None:
    async with open_site() as site, site.client(1) as client:
        answer = await client.ask(ClientFrame(request_id=2, refresh=RefreshRequest(access_token=site.token(**claims))))
        assert answer.error.name == name


async def test_a_revoked_session_ends_within_two_seconds(open_site: Any) -> None:
    async with open_site() as site, site.client(1) as client, site.client(2) as other:
        site.accounts.revocations.append(
            Revocation(session_id=10, generation=1, close_code=CloseCode.SESSION_REVOKED, time=1)
        )
        began = time.monotonic()
        assert (await client.next()).kick.close_code == CloseCode.SESSION_REVOKED
        assert await close_code(client) == CloseCode.SESSION_REVOKED
        assert time.monotonic() - began < 2
        assert (await other.ask(ClientFrame(request_id=3, ping=PingRequest()))).HasField("ping")


async def test_logic_ends_a_connection_with_a_kick(open_site: Any) -> None:
    async with open_site() as site, site.client() as client:
        close = CloseConnection(connection_id=client.connection_id, close_code=CloseCode.REPLACED, reason="newer tab")
        site.logic.push(GatewayPush(close_connection=close))
        kick = (await client.next()).kick
        assert (kick.close_code, kick.reason) == (CloseCode.REPLACED, "newer tab")
        assert await close_code(client) == CloseCode.REPLACED


async def test_a_slow_reader_is_told_that_it_lags_and_the_gateway_keeps_its_bounds(open_site: Any) -> None:
    settings = ConnectionSettings(max_queued_pushes=64)
    async with open_site(connections=settings) as site, site.client() as client:
        client.socket.transport.pause_reading()
        message = Message(conversation_id=1, seq=1)
        message.content.custom.data = b"x" * 30_000
        frame = ServerFrame(message_push=MessagePush(message=message))
        for _ in range(600):
            site.logic.deliver(client.connection_id, frame=frame)
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        client.socket.transport.resume_reading()
        lagged = await client.next()
        while not lagged.HasField("lagged"):
            lagged = await client.next()
        assert lagged.lagged.dropped > 100
        site.logic.deliver(client.connection_id, frame=frame)
        assert (await client.next()).HasField("message_push")


async def test_a_reader_that_stays_slow_is_closed(open_site: Any) -> None:
    settings = ConnectionSettings(max_queued_pushes=8, lagged_timeout_s=0.3, close_timeout_s=0.3)
    async with open_site(connections=settings) as site, site.client() as client:
        client.socket.transport.pause_reading()
        message = Message(conversation_id=1, seq=1)
        message.content.custom.data = b"x" * 30_000
        for _ in range(600):
            site.logic.deliver(client.connection_id, frame=ServerFrame(message_push=MessagePush(message=message)))
            await asyncio.sleep(0)
        await site.until(lambda: not site.gateway.connections)
        client.socket.transport.abort()


async def test_too_many_open_requests_are_shed(open_site: Any) -> None:
    settings = ConnectionSettings(max_open_requests=2)
    async with open_site(connections=settings) as site, site.client() as client:
        site.logic.answers["send"] = lambda caller, frame: None
        await client.send(*(ClientFrame(request_id=n, send=SendRequest(conversation_id=1)) for n in (2, 3, 4)))
        shed = await client.next()
        assert (shed.request_id, shed.error.name, shed.error.retryable) == (4, "OVERLOADED", True)


async def test_limits_per_user_are_shared_by_its_connections(open_site: Any) -> None:
    limits = LimitSettings(sends_per_user_per_s=0.001, send_burst_per_user=2)
    async with open_site(limits=limits) as site, site.client(1) as one, site.client(1, instance_id="tab-2") as two:
        assert (await one.ask(ClientFrame(request_id=2, send=SendRequest(attempt=1)))).HasField("send")
        assert (await two.ask(ClientFrame(request_id=2, send=SendRequest(attempt=1)))).HasField("send")
        refused = await one.ask(ClientFrame(request_id=3, send=SendRequest(attempt=1)))
        assert refused.error.name == "RATE_LIMITED"
        assert refused.error.retry_after_ms > 1000
        again = await one.ask(ClientFrame(request_id=4, send=SendRequest(attempt=2)))
        assert again.HasField("send"), "a re-send may be answered with what was stored"


async def test_typing_over_its_limit_is_dropped_silently(open_site: Any) -> None:
    limits = LimitSettings(typing_interval_s=60)
    async with open_site(limits=limits) as site, site.client(1) as client:
        for request_id, conversation_id in ((2, 7), (3, 7), (4, 8)):
            frame = ClientFrame(request_id=request_id, typing=TypingRequest(conversation_id=conversation_id))
            assert (await client.ask(frame)).HasField("typing")
        assert [frame.typing.conversation_id for _, frame in site.logic.commands] == [7, 8]


async def test_an_error_of_logic_reaches_the_request_with_its_details(open_site: Any) -> None:
    async with open_site() as site, site.client() as client:
        site.logic.answers["send"] = lambda caller, frame: ImError(error_table.SLOW_MODE, "wait", retry_after_ms=5000)
        answer = await client.ask(ClientFrame(request_id=2, send=SendRequest()))
        told = answer.error
        assert (told.number, told.name, told.message) == (5002, "SLOW_MODE", "wait")
        assert (told.retryable, told.retry_after_ms) == (True, 5000)


async def test_a_broken_logic_stream_makes_everybody_check(open_site: Any) -> None:
    async with open_site() as site, site.client() as client:
        await site.until(lambda: site.logic.server.streams)
        site.logic.stream.push(b"\xff\xff\xff")  # a push that cannot take effect breaks the stream
        check = await client.next()
        assert check.check.account
        await site.until(lambda: site.logic.server.streams)


async def test_a_sweep_puts_lost_routes_back(open_site: Any) -> None:
    async with open_site() as site, site.client(5) as client:
        await site.sweep()
        routes = (await RouteTable(site.cache).find_many([5]))[5]
        assert len(routes) == 1
        route = routes[0]
        assert (route.connection_id, route.gateway_id, route.boot_id) == (client.connection_id, "gw-1", "boot-1")
        assert (route.session_id, route.device_id, route.instance_id, route.device_class) == (
            50,
            "device-1",
            "tab-1",
            3,
        )
