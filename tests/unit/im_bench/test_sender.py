"""A sender keeps one message under way, its order, and the intended moment of what waits."""

import asyncio
from typing import Any, cast

from im_bench.connection import Connection, OnAnswer
from im_bench.sender import Sender, SendRefusedError, Stamp, Traffic, read_stamp, write_stamp
from im_bench.tally import Tally
from im_proto.v1.error_pb2 import Error
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import SendResponse


class Wire:
    """A connection that keeps what is sent until the test answers it."""

    def __init__(self) -> None:
        self.open: list[tuple[ClientFrame, OnAnswer]] = []

    def request(self, frame: ClientFrame, on_answer: OnAnswer) -> None:
        self.open.append((frame, on_answer))

    def answer(self, frame: ServerFrame) -> None:
        self.open.pop(0)[1](frame)

    def ack(self) -> None:
        self.answer(ServerFrame(send=SendResponse(seq=1)))


def make(*, endless: bool = False) -> tuple[Sender, Wire, Tally, list[Exception]]:
    wire, tally, failures = Wire(), Tally(), []
    traffic = Traffic("run", "", tally, failures.append)
    return Sender(traffic, cast("Connection", wire), 1, key="7", endless=endless), wire, tally, failures


def numbers(wire: Wire) -> list[Any]:
    stamps = [read_stamp(frame.send.content.text.text) for frame, _ in wire.open]
    return [stamp.number if stamp else None for stamp in stamps]


def test_a_stamp_is_read_as_it_was_written() -> None:
    stamp = Stamp("run", "7", 3, 12.5)
    assert read_stamp(write_stamp(stamp, "xx")) == stamp
    assert read_stamp("somebody else's text") is None


async def test_the_second_message_waits_for_the_first_ack_and_keeps_its_moment() -> None:
    sender, wire, tally, _ = make()
    sender.offer(1.0)
    sender.offer(2.0)
    assert numbers(wire) == [1]
    wire.ack()
    assert numbers(wire) == [2]
    stamp = read_stamp(wire.open[0][0].send.content.text.text)
    assert stamp is not None
    assert stamp.intended == 2.0
    wire.ack()
    assert tally.totals == {"offered": 2, "acked": 2, "delivered": 0}
    assert not sender.settled, "acked, and not yet seen"
    for number in (1, 2):
        sender.lane.see(number)
    assert sender.settled


async def test_a_retryable_refusal_sends_the_same_id_again_with_the_next_attempt() -> None:
    sender, wire, tally, failures = make()
    sender.offer(1.0)
    first = wire.open[0][0].send.client_message_id
    wire.answer(ServerFrame(error=Error(number=5003, name="OVERLOADED", retryable=True)))
    async with asyncio.timeout(2):
        while not wire.open:
            await asyncio.sleep(0)
    again = wire.open[0][0].send
    assert (again.client_message_id, again.attempt) == (first, 2)
    assert tally.refusals == {"OVERLOADED": 1}
    assert not failures


async def test_a_final_refusal_ends_the_run() -> None:
    sender, wire, _, failures = make()
    sender.offer(1.0)
    wire.answer(ServerFrame(error=Error(number=3003, name="NOT_A_MEMBER")))
    assert isinstance(failures[0], SendRefusedError)


async def test_a_closed_loop_goes_on_by_itself_until_it_is_ended() -> None:
    sender, wire, _, _ = make(endless=True)
    sender.offer(1.0)
    wire.ack()
    assert numbers(wire) == [2]
    sender.end()
    wire.ack()
    assert wire.open == []
