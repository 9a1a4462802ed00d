import asyncio

import pytest

from im_infra.rpc.in_process import InProcessServer
from im_proto.repo.v1 import account_pb2_grpc


def test_it_finds_what_generated_code_added() -> None:
    server = InProcessServer()
    account_pb2_grpc.add_AccountStoreServiceServicer_to_server(account_pb2_grpc.AccountStoreServiceServicer(), server)
    found = server.find("/im.repo.v1.AccountStoreService/GetUser")
    assert found is not None
    assert server.find("/im.repo.v1.AccountStoreService/GetUser") is found
    assert server.find("/im.repo.v1.AccountStoreService/Unknown") is None


def test_it_has_no_port() -> None:
    with pytest.raises(ValueError, match="does not listen"):
        InProcessServer().add_insecure_port("127.0.0.1:0")


async def test_stopping_waits_for_streams_within_the_grace_and_cancels_the_rest() -> None:
    server = InProcessServer()
    short, endless = asyncio.create_task(asyncio.sleep(0.001)), asyncio.create_task(asyncio.Event().wait())
    server.hold(short)
    server.hold(endless)
    await server.start()
    await server.stop(0.05)
    assert not short.cancelled()
    assert endless.cancelled()
    assert not server.serving


async def test_its_end_can_be_waited_for() -> None:
    server = InProcessServer()
    assert await server.wait_for_termination(0.001)
    await server.stop()
    assert not await server.wait_for_termination(5)
