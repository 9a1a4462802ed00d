import asyncio

import pytest
from grpc.aio import EOF

from im_infra.rpc.in_process.pipe import Pipe


async def test_it_holds_one_message_and_then_the_writer_waits() -> None:
    pipe = Pipe()
    await pipe.put(b"1")
    second = asyncio.create_task(pipe.put(b"2"))
    await asyncio.sleep(0)
    assert not second.done()
    assert await pipe.take() == b"1"
    await second
    assert await pipe.take() == b"2"


async def test_the_reader_waits_for_a_message() -> None:
    pipe = Pipe()
    reading = asyncio.create_task(pipe.take())
    await asyncio.sleep(0)
    await pipe.put(b"1")
    assert await reading == b"1"


async def test_a_closed_pipe_gives_what_it_holds_and_then_the_end() -> None:
    pipe = Pipe()
    await pipe.put(b"last")
    pipe.close()
    assert await pipe.take() == b"last"
    assert await pipe.take() is EOF


async def test_closing_wakes_both_sides() -> None:
    full, empty = Pipe(), Pipe()
    await full.put(b"1")
    writing, reading = asyncio.create_task(full.put(b"2")), asyncio.create_task(empty.take())
    await asyncio.sleep(0)
    full.close()
    empty.close()
    with pytest.raises(asyncio.InvalidStateError):
        await writing
    assert await reading is EOF


async def test_cancelling_a_reader_loses_nothing() -> None:
    pipe = Pipe()
    reading = asyncio.create_task(pipe.take())
    await asyncio.sleep(0)
    await pipe.put(b"1")
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert await pipe.take() == b"1"
