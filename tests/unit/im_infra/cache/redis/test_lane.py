"""A connection in service: its deadline, and what is under way on it."""

import asyncio

import pytest

from im_cli.engines.engine import Engine
from im_infra import error_table
from im_infra.cache.redis.connect import connect
from im_infra.cache.redis.lane import Call, Lane
from im_infra.errors import ImError
from tests.support.engine_fixtures import redis_settings


async def lane_to(engine: Engine, *, timeout_s: float) -> Lane:
    connection = await connect(engine.address, redis_settings(engine.address), None)
    return Lane(connection, turn=0, timeout_s=timeout_s)


async def test_what_is_answered_in_time_leaves_the_connection_open(redis_engine: Engine) -> None:
    lane = await lane_to(redis_engine, timeout_s=0.2)
    call = Call([("ECHO", "a")], 1, reads=False, repeatable=False)
    for _ in range(3):
        told: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        lane.begin([call], call.commands, told.set_result)
        deadline = lane._timer
        assert deadline is not None
        async with asyncio.timeout(5):
            assert await told == [b"a"]
        assert lane.done() == [call]
        assert deadline.cancelled()
        assert lane.done() == (), "nothing is under way any more"
    assert not lane.connection.lost.done()
    await lane.connection.close()


async def test_what_is_not_answered_in_time_ends_the_connection(redis_engine: Engine) -> None:
    lane = await lane_to(redis_engine, timeout_s=0.05)
    call = Call([("ECHO", "a")], 1, reads=False, repeatable=False)
    redis_engine.pause()
    lane.begin([call], call.commands, lambda _replies: pytest.fail("nobody answered"))
    async with asyncio.timeout(5):
        error = await lane.connection.lost
    assert isinstance(error, TimeoutError)
    assert "no answer within 50 ms" in str(error)
    assert lane.done() == [call]
    redis_engine.resume()


async def test_a_call_is_told_its_failure_unless_nobody_waits_any_more() -> None:
    waited, left = (Call([("PING",)], 1, reads=False, repeatable=False) for _ in range(2))
    left.answer.cancel()
    for call in (waited, left):
        call.fail(ImError(error_table.UNAVAILABLE, "away"))
    with pytest.raises(ImError, match="away"):
        await waited.answer
