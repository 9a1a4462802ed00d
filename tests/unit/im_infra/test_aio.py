import asyncio
import gc

import structlog

from im_infra import aio


async def test_a_spawned_task_runs_though_nobody_keeps_it() -> None:
    done = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    aio.spawn(work(), name="test.work")
    gc.collect()
    async with asyncio.timeout(5):
        await done.wait()


async def test_a_failure_is_logged_with_its_traceback_and_counted() -> None:
    before = aio.failed_tasks()

    async def work() -> None:
        raise ValueError("broken")

    with structlog.testing.capture_logs() as lines:
        task = aio.spawn(work(), name="test.broken")
        await asyncio.wait({task})
        await asyncio.sleep(0)
    assert aio.failed_tasks() == before + 1
    assert [(line["event"], line["task"]) for line in lines] == [("task failed", "test.broken")]
    assert isinstance(lines[0]["exc_info"], ValueError)


async def test_being_cancelled_is_no_failure() -> None:
    before = aio.failed_tasks()
    task = aio.spawn(asyncio.sleep(60), name="test.sleep")
    task.cancel()
    await asyncio.wait({task})
    assert aio.failed_tasks() == before
