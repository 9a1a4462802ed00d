"""One connection to a real Redis, and to one that answers what it should not."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.exceptions import RedisError, ResponseError

from im_cli.engines.engine import Engine, free_port
from im_cli.engines.redis import REQUIREMENTS, RedisTls, redis, redis_client
from im_infra.cache.redis.connect import connect
from im_infra.settings.client_tls import ClientTlsSettings
from tests.support.certificates import make_authority, make_certificate
from tests.support.engine_fixtures import PASSWORD, redis_settings
from tests.support.engines import require


async def test_answers_come_in_order_and_errors_are_values(redis_engine: Engine) -> None:
    connection = await connect(redis_engine.address, redis_settings(redis_engine.address), None)
    replies = await connection.exchange([("SET", "a", b"1"), ("INCR", "b"), ("LPOP", "a"), ("MGET", "a", "c")])
    assert replies[:2] == [b"OK", 1]
    assert isinstance(replies[2], ResponseError)
    assert replies[3] == [b"1", None]
    await connection.close()


async def test_a_run_has_a_name(redis_engine: Engine) -> None:
    settings = redis_settings(redis_engine.address)
    first, second = (
        await connect(redis_engine.address, settings, None),
        await connect(redis_engine.address, settings, None),
    )
    assert first.run_id == second.run_id != ""
    redis_engine.restart()
    third = await connect(redis_engine.address, settings, None)
    assert third.run_id != first.run_id
    for connection in (first, second, third):
        await connection.close()


async def test_a_user_that_may_not_ask_for_it_connects_all_the_same(redis_engine: Engine) -> None:
    with redis_client(redis_engine.port, password=PASSWORD) as client:
        client.acl_setuser("app", enabled=True, passwords=["+word"], keys=["im:*"], commands=["+get", "+set"])
    settings = redis_settings(redis_engine.address, username="app").model_copy(update={"password": SecretStr("word")})
    connection = await connect(redis_engine.address, settings, None)
    assert connection.run_id == ""
    assert await connection.exchange([("GET", "im:a")]) == [None]
    await connection.close()


async def test_a_wrong_password_and_a_closed_port_are_told(redis_engine: Engine) -> None:
    settings = redis_settings(redis_engine.address).model_copy(update={"password": SecretStr("wrong")})
    with pytest.raises(RedisError, match=r"(?i)password"):
        await connect(redis_engine.address, settings, None)
    with pytest.raises(RedisError, match="connecting to"):
        await connect(f"127.0.0.1:{free_port()}", settings, None)


async def test_a_server_of_another_authority_is_refused(tmp_path: Path) -> None:
    require(REQUIREMENTS)
    authority, other = make_authority(tmp_path), make_authority(tmp_path, "other")
    made = make_certificate(tmp_path, authority)
    with redis(
        tmp_path / "data", password=PASSWORD, tls=RedisTls(made.certificate, made.key, authority.certificate)
    ) as engine:
        tls = ClientTlsSettings(enabled=True, ca=other.certificate)
        with pytest.raises(RedisError, match="CERTIFICATE_VERIFY_FAILED"):
            await connect(engine.address, redis_settings(engine.address, tls=tls), tls.context())
        with pytest.raises(RedisError):
            await connect(engine.address, redis_settings(engine.address), None)


@asynccontextmanager
async def saying(*answers: bytes) -> AsyncIterator[str]:
    """A server that says these, one to each piece that it reads, and then what is left; its address."""
    serving: list[asyncio.Task[object] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        with suppress(ConnectionError):
            for answer in answers:
                if not await reader.read(65_536):
                    break
                for byte in answer:
                    writer.write(bytes([byte]))
                    await writer.drain()
            await reader.read(65_536)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"
        await asyncio.gather(*(task for task in serving if task is not None))


_GREETED = (b"+OK\r\n", b"$12\r\nrun_id:ab\r\nc\r\n")


async def test_answers_may_come_byte_by_byte() -> None:
    async with saying(*_GREETED, b"*2\r\n$1\r\na\r\n$-1\r\n:7\r\n") as address:
        connection = await connect(address, redis_settings(address), None)
        assert connection.run_id == "ab"
        assert await connection.exchange([("MGET", "a", "b"), ("INCR", "c")]) == [[b"a", None], 7]
        await connection.close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"-LOADING it reads its data\r\n", "reads its data"),
        (b"-NOAUTH who are you\r\n", "who are you"),
        (b"?what\r\n", "protocol"),
        (b":1\r\n:2\r\n", "nobody asked"),
    ],
)
async def test_a_server_that_cannot_be_spoken_with_ends_the_connection(answer: bytes, told: str) -> None:
    async with saying(*_GREETED, answer) as address:
        connection = await connect(address, redis_settings(address), None)
        connection.send([("INCR", "a")], lambda _replies: None)
        async with asyncio.timeout(5):
            error = await connection.lost
        assert isinstance(error, RedisError)
        assert not isinstance(error, ResponseError)
        assert re.search(told, str(error), re.IGNORECASE)


async def test_a_server_that_goes_is_told(redis_engine: Engine) -> None:
    connection = await connect(redis_engine.address, redis_settings(redis_engine.address), None)
    redis_engine.kill()
    with pytest.raises(RedisError, match=r"closed the connection|reset"):
        async with asyncio.timeout(5):
            await connection.exchange([("GET", "a")])
