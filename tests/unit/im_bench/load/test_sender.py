"""A sender keeps one message under way, its order, and the intended moment of what waits."""

import asyncio
import time
from dataclasses import dataclass

from im_bench.adapters.abstract import Outcome, Refusal
from im_bench.ledger.inbox import Inbox
from im_bench.load.sender import Sender, SendRefusedError, Traffic
from im_bench.load.stamp import read_stamp
from im_bench.load.window import Window
from im_bench.measure.tally import Tally


@dataclass
class Sent:
    message_id: str
    text: str
    outcome: Outcome
    attempt: int


class Wire:
    """A client that keeps what is sent until the test answers it."""

    def __init__(self) -> None:
        self.open: list[Sent] = []

    def send(self, conversation_id: int, message_id: str, text: str, outcome: Outcome, *, attempt: int) -> None:
        self.open.append(Sent(message_id, text, outcome, attempt))

    def ack(self, seq: int = 1) -> None:
        self.open.pop(0).outcome.acked(seq)

    def numbers(self) -> list[int]:
        stamps = [read_stamp(sent.text, "run") for sent in self.open]
        return [stamp.number for stamp in stamps if stamp is not None]

    async def close(self) -> None:
        self.open.clear()


def make() -> tuple[Sender, Wire, Tally, list[Exception]]:
    wire, tally, failures = Wire(), Tally(), list[Exception]()
    traffic = Traffic("run", "", Window(0, 0, 1e12), tally, failures.append)
    return Sender(traffic, wire, Inbox(7, 0), 1), wire, tally, failures


async def test_the_second_message_waits_for_the_first_ack_and_keeps_its_moment() -> None:
    sender, wire, tally, _ = make()
    sender.offer(1.0)
    sender.offer(2.0)
    assert wire.numbers() == [1]
    wire.ack()
    assert wire.numbers() == [2]
    stamp = read_stamp(wire.open[0].text, "run")
    assert stamp is not None
    assert (stamp.sender, stamp.intended) == (7, 2.0)
    wire.ack()
    assert (tally.offered, tally.acked, sender.busy) == (2, 2, False)
    assert sender.lane.acked.ranges() == [(1, 2)]


async def test_latency_counts_from_the_intended_moment() -> None:
    sender, wire, tally, _ = make()
    sender.offer(time.monotonic() - 5)
    wire.ack()
    assert min(tally.ack.take()) >= 4_990_000


async def test_an_ack_says_which_place_of_the_log_is_ones_own() -> None:
    wire, inbox = Wire(), Inbox(7, 0)
    sender = Sender(Traffic("run", "", Window(0, 0, 1), Tally(), lambda _: None), wire, inbox, 1)
    sender.offer(0.0)
    wire.ack(seq=1)
    assert not inbox.seqs.add(1), "pushed to its own sender it would be a repeat"


async def test_a_retryable_refusal_sends_the_same_message_again_with_the_next_attempt() -> None:
    sender, wire, tally, failures = make()
    sender.offer(1.0)
    first = wire.open.pop(0)
    first.outcome.refused(Refusal("OVERLOADED", retryable=True))
    async with asyncio.timeout(2):
        while not wire.open:
            await asyncio.sleep(0)
    again = wire.open[0]
    assert (again.message_id, again.text, again.attempt) == (first.message_id, first.text, 2)
    assert tally.counts == {"refused OVERLOADED": 1}
    assert not failures


async def test_a_final_refusal_ends_the_run() -> None:
    sender, wire, _, failures = make()
    sender.offer(1.0)
    wire.open.pop(0).outcome.refused(Refusal("NOT_A_MEMBER", retryable=False))
    assert isinstance(failures[0], SendRefusedError)


async def test_an_endless_sender_goes_on_by_itself_until_it_gives_up() -> None:
    sender, wire, _, _ = make()
    sender.endless = True
    sender.offer(1.0)
    wire.ack()
    assert wire.numbers() == [2]
    sender.give_up(0.0)
    wire.ack()
    assert not wire.open


async def test_what_never_left_counts_with_its_age() -> None:
    sender, wire, tally, _ = make()
    for intended in (1.0, 2.0, 3.0):
        sender.offer(intended)
    assert sender.give_up(10.0) == 2
    assert sorted(tally.ack.take()) == [6_995_968, 7_999_488], "seven and eight seconds, as the histogram keeps them"
    wire.ack()
    assert not wire.open
