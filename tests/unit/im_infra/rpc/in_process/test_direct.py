import asyncio
from collections.abc import Callable

import pytest

from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.pace import REQUESTS
from im_infra.rpc.in_process.direct import DirectEnd, TurnWriter, direct_pair


class Gathered:
    """Credits that a writer takes all at once, one frame for all."""

    def __init__(self) -> None:
        self.credits: list[int] = []
        self.is_finished = False

    def next_frame(self) -> Frame | None:
        if not self.credits:
            return None
        credit, self.credits = sum(self.credits), []
        return Frame(credit=credit)

    def finished(self) -> bool:
        return self.is_finished


class Receiving:
    """Somebody who receives at an end."""

    def __init__(self, end: DirectEnd, take: Callable[[Frame], None] | None = None) -> None:
        self.credits: list[int] = []
        self.task = asyncio.ensure_future(end.receive(take or (lambda frame: self.credits.append(frame.credit))))


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_gathers_in_a_turn_goes_in_one_frame() -> None:
    ours, theirs = direct_pair()
    receiving, gathered = Receiving(theirs), Gathered()
    writer = ours.writer(gathered.next_frame, gathered.finished, REQUESTS)
    running = asyncio.ensure_future(writer.run())
    await turns()
    for credit in (1, 2):
        gathered.credits.append(credit)
        writer.wake()
    assert receiving.credits == []
    await turns()
    gathered.credits.append(4)
    writer.wake()
    await turns()
    assert receiving.credits == [3, 4]
    theirs.end()
    await receiving.task
    writer.stop()
    await running


async def test_frames_that_come_before_somebody_receives_are_kept_even_past_the_end() -> None:
    ours, _ = direct_pair()
    assert ours.give(Frame(credit=1))
    ours.end()
    assert not ours.give(Frame(credit=2))
    receiving = Receiving(ours)
    await receiving.task
    assert receiving.credits == [1]


async def test_an_end_with_an_error_is_raised_where_somebody_receives() -> None:
    ours, _ = direct_pair()
    receiving = Receiving(ours)
    await turns()
    ours.end(ValueError("first"))
    ours.end(ValueError("second"))
    with pytest.raises(ValueError, match="first"):
        await receiving.task


async def test_what_the_receiver_raises_is_its_own_and_ends_the_stream_for_the_giver() -> None:
    def take(_frame: Frame) -> None:
        raise ValueError("a bug")

    ours, theirs = direct_pair()
    receiving, gathered = Receiving(theirs, take), Gathered()
    writer = ours.writer(gathered.next_frame, gathered.finished, REQUESTS)
    running = asyncio.ensure_future(writer.run())
    await turns()
    for credit in (1, 2):
        gathered.credits.append(credit)
        writer.wake()
        await turns()
    with pytest.raises(ValueError, match="a bug"):
        await receiving.task
    async with asyncio.timeout(5):
        await running


async def test_a_receiver_that_is_cancelled_takes_nothing_more() -> None:
    ours, _ = direct_pair()
    receiving = Receiving(ours)
    await turns()
    receiving.task.cancel()
    await asyncio.gather(receiving.task, return_exceptions=True)
    assert not ours.give(Frame())
    ours.end()


async def test_the_writer_ends_when_nothing_is_left_and_the_stream_is_finished() -> None:
    ours, theirs = direct_pair()
    receiving, gathered = Receiving(theirs), Gathered()
    await turns()
    gathered.credits.append(1)
    gathered.is_finished = True
    async with asyncio.timeout(5):
        await ours.writer(gathered.next_frame, gathered.finished, REQUESTS).run()
    assert receiving.credits == [1]
    receiving.task.cancel()


async def test_a_bug_of_the_rules_is_raised_where_the_writer_runs() -> None:
    def next_frame() -> Frame | None:
        raise ValueError("a bug")

    writer = TurnWriter(lambda _: True, next_frame, lambda: False)
    with pytest.raises(ValueError, match="a bug"):
        async with asyncio.timeout(5):
            await writer.run()
