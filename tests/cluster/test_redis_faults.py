"""Redis falls silent, dies or is emptied under a running cluster: messages go on, nobody is locked out, nothing is lost."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from im_bench.adapters.im.connection import Connection
from im_cli.engines.engine import Engine
from im_cli.engines.redis import redis_client
from im_infra.clock import SystemClock
from im_infra.error_table import CloseCode
from im_infra.ids.uuid7 import uuid7 as new_uuid7
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import Content, SendRequest, Text
from im_proto.v1.read_pb2 import ViewRequest
from tests.harness.in_process import InProcess, in_process
from tests.harness.light import Unread, open_light
from tests.harness.talk import Talk, talk
from tests.harness.workload import until
from tests.support.engine_fixtures import PASSWORD

PUSHED_S = 2.0
"""While Redis is away: one timeout, and the way to all gateways."""
REVOKED_S = 2.0
BACK_S = 15.0
"""Until a Redis that is there again is connected to, and everybody's route is in it."""


class Heard(Unread):
    """Keeps what is pushed."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def deliver(self, conversation_id: int, seq: int, text: str) -> None:
        self.texts.append(text)


@asynccontextmanager
async def on_redis(tmp_path: Path, engine: Engine) -> AsyncIterator[InProcess]:
    settings = {"cache.kind": "redis", "cache.redis.addresses": [engine.address], "cache.redis.password": PASSWORD}
    async with in_process(tmp_path / "data", settings) as cluster:
        yield cluster


async def still_pushed(two: Talk, count: int = 5) -> None:
    """What is sent now reaches its reader soon."""
    before = two.history.count("received")
    two.offer(count)
    await until(lambda: two.history.count("received") >= before + count, PUSHED_S * count)


async def pushed_until_routed(two: Talk, engine: Engine) -> None:
    """Messages are pushed all the while, until both people's routes are in Redis and sends read them there again."""
    with redis_client(engine.port, password=PASSWORD) as client:
        client.config_resetstat()
        async with asyncio.timeout(BACK_S):
            while len(client.keys("*route:*")) < 2 or "cmdstat_mget" not in client.info("commandstats"):
                await still_pushed(two, 2)
                await asyncio.sleep(0.02)


def flush(engine: Engine) -> None:
    with redis_client(engine.port, password=PASSWORD) as client:
        client.flushall()


@pytest.mark.parametrize("fault", ["killed", "silent", "flushed"])
async def test_messages_are_pushed_while_redis_is_away_and_afterwards(
    tmp_path: Path, redis_engine: Engine, fault: str
) -> None:
    async with on_redis(tmp_path, redis_engine) as cluster, talk(cluster.url, tmp_path) as two:
        await still_pushed(two)
        strike: Callable[[], None] = {
            "killed": redis_engine.kill,
            "silent": redis_engine.pause,
            "flushed": lambda: flush(redis_engine),
        }[fault]
        strike()
        for _ in range(3):
            await still_pushed(two)
        if fault == "killed":
            redis_engine.start()
        redis_engine.resume()
        await pushed_until_routed(two, redis_engine)
        await still_pushed(two)
        assert two.refusals == {}
        await two.verify(cluster.database)


async def test_without_redis_a_device_connects_and_a_logout_ends_it_within_two_seconds(
    tmp_path: Path, redis_engine: Engine
) -> None:
    async with on_redis(tmp_path, redis_engine) as cluster, talk(cluster.url, tmp_path) as two:
        redis_engine.kill()
        heard = Heard()
        second = await connected(cluster, two, heard)
        two.offer(3)
        await until(lambda: len(heard.texts) == 3, 3 * PUSHED_S)
        async with httpx.AsyncClient(base_url=cluster.url) as client:
            began = time.monotonic()
            token = two.receiver.account.access_token
            answer = await client.post("/api/v1/logout", json={}, headers={"Authorization": f"Bearer {token}"})
            assert answer.is_success, answer.text
        await until(second.lost.done, REVOKED_S + 0.5)
        assert second.close_code == CloseCode.SESSION_REVOKED
        assert time.monotonic() - began < REVOKED_S + 0.5
        redis_engine.start()


async def test_the_world_room_is_heard_without_redis(tmp_path: Path, redis_engine: Engine) -> None:
    """Nobody can read which gateways are interested, so all are told."""
    async with on_redis(tmp_path, redis_engine) as cluster, talk(cluster.url, tmp_path) as two:
        assert two.sender.connection is not None
        world = two.sender.connection.hello.world_conversation_id
        heard = Heard()
        reader = await connected(cluster, two, heard)
        await reader.call(ClientFrame(view=ViewRequest(conversation_ids=[world])))

        async def say(text: str) -> None:
            assert two.sender.connection is not None
            send = SendRequest(
                conversation_id=world,
                client_message_id=str(new_uuid7(SystemClock().now_ms(), os.urandom(10))),
                content=Content(text=Text(text=text)),
            )
            assert (await two.sender.connection.call(ClientFrame(send=send))).send.seq
            await until(lambda: text in heard.texts, 5)

        await say("before")
        redis_engine.kill()
        await say("away")
        redis_engine.start()
        await say("back")
        flush(redis_engine)
        await say("empty")
        await reader.close()


async def connected(cluster: InProcess, two: Talk, heard: Heard) -> Connection:
    """The receiver's account once more, in another tab."""
    account = two.receiver.account
    return await open_light(
        cluster.websocket_url, access_token=account.access_token, device_id=account.device_id, mailbox=heard
    )
