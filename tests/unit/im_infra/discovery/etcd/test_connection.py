"""Calls to a real etcd: what fails, what is tried elsewhere, who is let in."""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from aetcd import rpc
from pydantic import SecretStr

from im_cli.engines.engine import Engine, free_port
from im_cli.engines.etcd import REQUIREMENTS, EtcdAccount, EtcdTls, etcd
from im_infra import error_table
from im_infra.discovery.etcd.connection import EtcdConnection, prefix_end
from im_infra.discovery.settings import EtcdSettings
from im_infra.errors import ImError
from im_infra.settings.client_tls import ClientTlsSettings
from tests.support.certificates import make_authority, make_certificate
from tests.support.engines import require


def put(connection: EtcdConnection, name: str, value: bytes) -> rpc.TxnRequest:
    request = rpc.PutRequest(key=connection.key(name), value=value)
    return rpc.TxnRequest(success=[rpc.RequestOp(request_put=request)])


async def values(connection: EtcdConnection) -> list[bytes]:
    return [entry.value for entry in (await connection.range(connection.key(""))).kvs]


def test_a_prefix_ends_before_its_next() -> None:
    assert prefix_end(b"/im/") == b"/im0"


async def test_what_was_written_is_read_below_the_prefix_alone(connection: EtcdConnection) -> None:
    await connection.transact(put(connection, "a", b"1"))
    await connection.transact(put(connection, "b", b"2"))
    assert await values(connection) == [b"1", b"2"]
    await connection.check()


async def test_a_lease_ends_with_what_is_on_it(connection: EtcdConnection) -> None:
    lease_id = await connection.grant(60)
    request = rpc.PutRequest(key=connection.key("a"), value=b"1", lease=lease_id)
    await connection.transact(rpc.TxnRequest(success=[rpc.RequestOp(request_put=request)]))
    assert await connection.keep_alive(lease_id)
    await connection.revoke(lease_id)
    assert await values(connection) == []
    assert not await connection.keep_alive(lease_id)


async def test_a_watch_tells_what_changes_from_a_revision_on(connection: EtcdConnection) -> None:
    revision = (await connection.range(connection.key(""))).header.revision
    await connection.transact(put(connection, "a", b"1"))
    stream = connection.watch()
    await connection.begin_watch(stream, connection.key(""), revision + 1)
    (event,) = await connection.read_watch(stream)
    assert event.kv.value == b"1"
    stream.cancel()


async def test_a_watch_of_what_was_compacted_away_ends(connection: EtcdConnection) -> None:
    revision = (await connection.range(connection.key(""))).header.revision
    await connection.transact(put(connection, "a", b"1"))
    await connection.transact(put(connection, "a", b"2"))
    last = (await connection.range(connection.key(""))).header.revision
    await connection._member.kv.Compact(rpc.CompactionRequest(revision=last))
    stream = connection.watch()
    await connection.begin_watch(stream, connection.key(""), revision + 1)
    with pytest.raises(ImError, match="ended the watch"):
        await connection.read_watch(stream)


async def test_nobody_there_is_told_in_time() -> None:
    connection = EtcdConnection(EtcdSettings(endpoints=(f"127.0.0.1:{free_port()}",), timeout_s=0.5))
    began = time.monotonic()
    with pytest.raises(ImError) as caught:
        await connection.check()
    assert caught.value.reason is error_table.UNAVAILABLE
    assert time.monotonic() - began < 2
    await connection.close()


async def test_an_etcd_that_hangs_is_told_in_time(connection: EtcdConnection, etcd_engine: Engine) -> None:
    await connection.check()
    etcd_engine.pause()
    began = time.monotonic()
    with pytest.raises(ImError):
        await connection.check()
    assert time.monotonic() - began < 2
    etcd_engine.resume()
    async with asyncio.timeout(10):
        while not await answers(connection):
            await asyncio.sleep(0.05)


async def test_another_member_is_asked_where_one_does_not_answer(
    etcd_engine: Engine, etcd_settings: EtcdSettings
) -> None:
    """By name as well as by address."""
    dead = f"127.0.0.1:{free_port()}"
    named = etcd_engine.address.replace("127.0.0.1", "localhost")
    connection = EtcdConnection(etcd_settings.model_copy(update={"endpoints": (dead, named)}))
    assert connection.endpoint == dead
    with pytest.raises(ImError):
        await connection.check()
    assert connection.endpoint == named
    await connection.check()
    await connection.close()


async def answers(connection: EtcdConnection) -> bool:
    try:
        await connection.check()
    except ImError:
        return False
    return True


@pytest.fixture
def closed(tmp_path: Path) -> Any:
    """An etcd with TLS and an account, and the settings that it lets in."""
    require(REQUIREMENTS)
    authority = make_authority(tmp_path)
    made = make_certificate(tmp_path, authority)
    account = EtcdAccount(password="the account's")
    tls = EtcdTls(made.certificate, made.key, authority.certificate)
    with etcd(tmp_path / "data", account, tls=tls) as engine:
        yield (
            engine,
            EtcdSettings(
                endpoints=(engine.address,),
                user=account.user,
                password=SecretStr(account.password),
                tls=ClientTlsSettings(enabled=True, ca=authority.certificate),
            ),
        )


async def test_an_account_comes_in_over_tls_and_others_do_not(closed: Any, tmp_path: Path) -> None:
    engine, settings = closed
    connection = EtcdConnection(settings)
    await connection.transact(put(connection, "a", b"1"))
    assert await values(connection) == [b"1"]

    engine.restart()  # its tokens are in its memory
    async with asyncio.timeout(10):
        while not await answers(connection):
            await asyncio.sleep(0.05)
    assert await values(connection) == [b"1"]
    await connection.close()

    other = make_authority(tmp_path, "other")
    for changed in (
        {"password": SecretStr("wrong")},
        {"user": ""},
        {"tls": ClientTlsSettings(enabled=True, ca=other.certificate)},
        {"tls": ClientTlsSettings()},
        {"prefix": "/not-ours/"},
    ):
        stranger = EtcdConnection(settings.model_copy(update={"timeout_s": 1.0, **changed}))
        with pytest.raises(ImError) as caught:
            await stranger.check()
        assert caught.value.reason is error_table.UNAVAILABLE
        await stranger.close()


async def test_an_etcd_that_lost_its_data_lets_an_account_in_that_had_a_token_for_long(closed: Any) -> None:
    """Its new count is far below the old token's: it would wait to catch up with that, and answer nothing meanwhile."""
    engine, settings = closed
    first = EtcdConnection(settings)
    for _ in range(100):
        await first.transact(put(first, "a", b"1"))
    await first.close()
    connection = EtcdConnection(settings.model_copy(update={"timeout_s": 1.0}))
    assert await values(connection) == [b"1"]

    engine.kill()
    await asyncio.to_thread(shutil.rmtree, engine.folder / "data")
    await asyncio.to_thread(engine.start)
    async with asyncio.timeout(10):
        while not await answers(connection):
            await asyncio.sleep(0.05)
    assert await values(connection) == []
    await connection.close()


async def test_leaving_a_member_fails_what_is_under_way_there_and_cancels_nobody(connection: EtcdConnection) -> None:
    stream = connection.watch()
    await connection.begin_watch(stream, connection.key(""), 1)
    reading = asyncio.create_task(connection.read_watch(stream))
    calling = asyncio.create_task(connection.check())
    await asyncio.sleep(0)
    await connection._member.channel.close(None)
    ended = await asyncio.wait_for(asyncio.gather(reading, calling, return_exceptions=True), 10)
    assert [isinstance(each, ImError) and each.reason is error_table.UNAVAILABLE for each in ended] == [True, True]
