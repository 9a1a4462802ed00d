"""Worker ids: two processes race for them, and of each id one holder at a time may issue."""

import asyncio
import multiprocessing
from typing import Any

import pytest

from im_infra.clock import ManualClock, SystemClock
from im_infra.discovery.etcd.connection import EtcdConnection
from im_infra.discovery.etcd.workers import Workers
from im_infra.discovery.settings import EtcdSettings
from im_infra.errors import ImError

LEASES = 12


async def _lease(settings: EtcdSettings) -> list[tuple[int, int, int]]:
    connection = EtcdConnection(settings)
    workers = Workers(connection, SystemClock())
    leases = await asyncio.gather(*(workers.lease(above=0) for _ in range(LEASES)))
    await connection.close()
    return [(lease.worker_id, lease.floor_time, lease.high_time) for lease in leases]


def _race(settings: EtcdSettings, gate: Any, results: Any) -> None:
    gate.wait()
    results.put(asyncio.run(_lease(settings)))


def test_processes_that_race_get_different_ids(etcd_settings: EtcdSettings) -> None:
    spawning = multiprocessing.get_context("spawn")
    gate, results = spawning.Barrier(2), spawning.Queue()
    racers = [spawning.Process(target=_race, args=(etcd_settings, gate, results)) for _ in range(2)]
    for racer in racers:
        racer.start()
    taken = [lease for _ in racers for lease in results.get(timeout=60)]
    for racer in racers:
        racer.join(10)
    assert len({worker_id for worker_id, _, _ in taken}) == 2 * LEASES
    assert {floor for _, floor, _ in taken} == {0}


async def test_an_id_is_taken_again_above_what_was_recorded_and_its_holder_learns_it(
    connection: EtcdConnection,
) -> None:
    """The holder was held for longer than its lease."""
    clock, later = ManualClock(), ManualClock()
    held, other = Workers(connection, clock), Workers(connection, later)
    first = await held.lease(above=0)
    assert (await other.lease(above=0)).worker_id != first.worker_id
    later.advance(901)
    taken = await other.lease(above=0)
    assert taken.worker_id == first.worker_id
    assert taken.floor_time == first.high_time
    with pytest.raises(ImError, match="was lost"):
        await held.renew(first)
    renewed = await other.renew(taken)
    assert renewed.high_time >= taken.high_time


async def test_a_clock_that_steps_back_shortens_no_window(connection: EtcdConnection) -> None:
    clock = ManualClock()
    workers = Workers(connection, clock)
    lease = await workers.lease(above=0)
    clock.advance(60)
    clock.jump(-3_600_000)
    renewed = await workers.renew(lease)
    assert renewed.high_time == lease.high_time + 60_000


async def test_without_etcd_there_is_none_to_be_had() -> None:
    connection = EtcdConnection(EtcdSettings(endpoints=("127.0.0.1:1",), timeout_s=0.2))
    with pytest.raises(ImError):
        await Workers(connection, ManualClock()).lease(above=0)
    await connection.close()
