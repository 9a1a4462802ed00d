"""A node's announcement on a real etcd, and what may happen to it from outside."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from im_cli.engines.engine import Engine
from im_infra.aio import spawn
from im_infra.discovery.abstract import Node
from im_infra.discovery.etcd.connection import EtcdConnection
from im_infra.discovery.etcd.node_value import decode
from im_infra.discovery.etcd.registration import EtcdRegistration
from im_infra.errors import ImError

NODE = Node("gateway", "g1", "b1", "10.0.0.1:9000")


class Announced:
    def __init__(self, connection: EtcdConnection, node: Node = NODE) -> None:
        self.connection = connection
        self.losses = 0
        self.registration = EtcdRegistration(connection, node, ttl_s=2, on_lost=self._lost)

    def _lost(self) -> None:
        self.losses += 1

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[EtcdRegistration]:
        await self.registration.announce()
        keeping = spawn(self.registration.run(), name="test.keep")
        try:
            yield self.registration
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})


async def written(connection: EtcdConnection) -> list[tuple[Node, bool] | None]:
    return [decode(entry.value) for entry in (await connection.range(connection.key("node", ""))).kvs]


async def until(connection: EtcdConnection, condition: Callable[[list[tuple[Node, bool] | None]], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition(await written(connection)):
            await asyncio.sleep(0.05)


async def test_it_is_kept_longer_than_its_lease(connection: EtcdConnection) -> None:
    async with Announced(connection).kept():
        for _ in range(8):
            await asyncio.sleep(0.5)
            assert await written(connection) == [(NODE, False)]
    await until(connection, lambda found: found == [])


async def test_a_lease_that_is_revoked_from_outside_is_replaced(connection: EtcdConnection) -> None:
    announced = Announced(connection)
    async with announced.kept() as registration:
        await connection.revoke(registration._lease_id)
        assert await written(connection) == []
        await until(connection, lambda found: found == [(NODE, False)])
        assert announced.losses == 1


async def test_a_later_start_takes_the_name_and_the_earlier_does_not_take_it_back(connection: EtcdConnection) -> None:
    newer = replace(NODE, boot_id="b2")
    async with Announced(connection).kept() as earlier:
        later = Announced(connection, newer)
        async with later.kept() as registration:
            await connection.revoke(earlier._lease_id)
            await earlier.set_draining()
            await asyncio.sleep(2.5)
            assert await written(connection) == [(newer, False)]
            await registration.withdraw()
        await until(connection, lambda found: found == [(replace(NODE, draining=True), False)])


async def test_draining_is_told_once_etcd_is_back(connection: EtcdConnection, etcd_engine: Engine) -> None:
    async with Announced(connection).kept() as registration:
        etcd_engine.kill()
        with suppress(ImError):
            await registration.set_draining()
        etcd_engine.start()

        async def told() -> bool:
            try:
                return await written(connection) == [(replace(NODE, draining=True), False)]
            except ImError:
                return False

        async with asyncio.timeout(15):
            while not await told():
                await asyncio.sleep(0.05)


async def test_withdrawn_it_is_gone_at_once(connection: EtcdConnection) -> None:
    async with Announced(connection).kept() as registration:
        await registration.withdraw()
        assert await written(connection) == []
