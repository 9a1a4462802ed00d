"""What a process sees of the others while etcd dies, hangs, forgets, or ends leases."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing

import pytest
from aetcd import rpc

from im_cli.engines.engine import Engine, free_port
from im_infra.aio import spawn
from im_infra.discovery.abstract import Node
from im_infra.discovery.etcd import liveness
from im_infra.discovery.etcd.discovery import EtcdDiscovery
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics

Opener = Callable[..., AbstractAsyncContextManager[EtcdDiscovery]]

ONE = Node("logic", "l1", "b1", "127.0.0.1:1")
TWO = Node("logic", "l2", "b1", "127.0.0.1:2")


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def names(discovery: EtcdDiscovery) -> set[str]:
    return set(discovery.nodes("logic"))


async def end_lease(discovery: EtcdDiscovery, node: Node) -> None:
    """From outside, as an operator could."""
    connection = discovery._connection
    (entry,) = (await connection.range(connection.key("node", node.service, node.node_id))).kvs
    await connection.revoke(entry.lease)


async def test_two_processes_see_each_other(open_registry: Opener) -> None:
    async with open_registry() as first, open_registry() as second, first.register(ONE), second.register(TWO):
        for each in (first, second):
            await until(lambda each=each: names(each) == {"l1", "l2"})


async def test_a_killed_etcd_leaves_the_view_and_what_comes_later_is_seen(
    open_registry: Opener, etcd_engine: Engine
) -> None:
    metrics = Metrics()
    async with open_registry(metrics=metrics) as first, open_registry() as second, first.register(ONE):
        await until(lambda: names(second) == {"l1"})
        etcd_engine.kill()
        for _ in range(10):
            await asyncio.sleep(0.1)
            assert names(second) == {"l1"}
        with pytest.raises(ImError):
            await second.check()
        etcd_engine.start()
        async with asyncio.timeout(15):
            while True:
                try:
                    async with second.register(TWO):
                        await until(lambda: names(first) == names(second) == {"l1", "l2"})
                except ImError:
                    await asyncio.sleep(0.1)
                else:
                    break
        await until(lambda: names(first) == {"l1"})
    assert metrics.counter("im_discovery_watch_restarts_total")._value.get() >= 1


async def test_an_etcd_that_hangs_for_twenty_seconds_drops_nobody(open_registry: Opener, etcd_engine: Engine) -> None:
    """Every lease ends meanwhile; the processes announce themselves again once it goes on."""
    async with open_registry() as first, open_registry() as second, first.register(ONE), second.register(TWO):
        await until(lambda: names(first) == names(second) == {"l1", "l2"})
        etcd_engine.pause()
        for _ in range(40):
            await asyncio.sleep(0.5)
            assert names(first) == names(second) == {"l1", "l2"}
        etcd_engine.resume()
        for _ in range(40):
            await asyncio.sleep(0.1)
            assert names(first) == names(second) == {"l1", "l2"}
        await first.check()


async def test_a_watch_goes_on_after_a_compaction_that_it_missed(open_registry: Opener, etcd_engine: Engine) -> None:
    async with open_registry() as watching, open_registry() as other:
        connection = other._connection
        watching._tasks[0].cancel()  # it falls behind
        async with other.register(ONE):
            for _ in range(5):
                async with other.register(TWO):
                    pass
            last = (await connection.range(connection.key(""))).header.revision
            await connection._member.kv.Compact(rpc.CompactionRequest(revision=last))
            watching._tasks[0] = spawn(watching._follow(1), name="test.follow")
            await until(lambda: names(watching) == {"l1"})
            async with other.register(TWO):
                await until(lambda: names(watching) == {"l1", "l2"})


async def test_a_lease_that_is_ended_from_outside_is_announced_again_and_nobody_is_dropped(
    open_registry: Opener,
) -> None:
    metrics = Metrics()
    async with open_registry(metrics=metrics) as first, open_registry() as second, first.register(ONE):
        await until(lambda: names(second) == {"l1"})
        await end_lease(second, ONE)
        await until(lambda: second._liveness.waits)
        await until(lambda: not second._liveness.waits)
        assert names(second) == {"l1"}
        assert metrics.counter("im_discovery_lease_losses_total")._value.get() == 1


async def test_one_that_died_is_dropped_after_a_while(open_registry: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "HOLD_S", 1.0)
    async with open_registry() as second, open_registry() as first:
        keeping = first.register(ONE)
        await keeping.__aenter__()
        await until(lambda: names(second) == {"l1"})
        await first._connection.close()  # nothing is renewed or withdrawn, as after a kill
        await until(lambda: second._liveness.waits)
        assert names(second) == {"l1"}
        await until(lambda: names(second) == set())
        await keeping.__aexit__(None, None, None)


async def test_many_that_vanish_at_once_stay_while_they_answer(
    open_registry: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of four: two whose ports are open stay, the one that does not answer goes."""
    monkeypatch.setattr(liveness, "HOLD_S", 1.0)
    monkeypatch.setattr("im_infra.discovery.etcd.discovery._TRY_EVERY_S", 0.5)
    with closing(socket.create_server(("127.0.0.1", 0))) as port:
        here = f"127.0.0.1:{port.getsockname()[1]}"
        gone = f"127.0.0.1:{free_port()}"
        nodes = [Node("logic", f"l{number}", "b1", address) for number, address in enumerate([here, here, gone, here])]
        async with open_registry() as second, second.register(nodes[3]), open_registry(lease_ttl_s=2) as first:
            registered = [first.register(node) for node in nodes[:3]]
            for each in registered:
                await each.__aenter__()
            await until(lambda: names(second) == {"l0", "l1", "l2", "l3"})
            await first._connection.close()
            await until(lambda: len(second._liveness.doubted) == 3)
            await until(lambda: names(second) == {"l0", "l1", "l3"})
            await asyncio.sleep(2.5)
            assert names(second) == {"l0", "l1", "l3"}
            for each in registered:
                await each.__aexit__(None, None, None)


async def test_what_is_no_node_is_left_alone(open_registry: Opener) -> None:
    async with open_registry() as discovery:
        connection = discovery._connection
        request = rpc.PutRequest(key=connection.key("node", "logic", "odd"), value=b"\xff")
        await connection.transact(rpc.TxnRequest(success=[rpc.RequestOp(request_put=request)]))
        async with discovery.register(ONE):
            await until(lambda: names(discovery) == {"l1"})


async def test_without_etcd_it_does_not_open(open_registry: Opener) -> None:
    with pytest.raises(ImError):
        async with open_registry(endpoints=(f"127.0.0.1:{free_port()}",)):
            pass


async def test_the_listed_are_counted(open_registry: Opener) -> None:
    metrics = Metrics()
    async with open_registry(metrics=metrics) as discovery, discovery.register(ONE), discovery.register(TWO):
        await until(lambda: metrics.gauge("im_discovery_nodes")._value.get() == 2)
