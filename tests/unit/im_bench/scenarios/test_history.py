"""A page counts as read when it lacks nothing, whatever ended it; one that was refused was not read."""

import random
from collections.abc import Callable
from typing import Any, cast

import pytest

from im_bench.adapters.abstract import Joined
from im_bench.load.crew import Crew, Seat
from im_bench.load.window import Window
from im_bench.measure.tally import Tally
from im_bench.scenarios.history import PAGE, SHORT, HistoryScenario, HistorySettings
from im_proto.v1.error_pb2 import Error
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import Message, PullResponse


class Reader:
    """A connection that answers a pull of `first` with what the test has for it."""

    def __init__(self, answer: Callable[[int], ServerFrame]) -> None:
        self._answer = answer

    def request(self, frame: ClientFrame, on_answer: Callable[[ServerFrame], None]) -> None:
        on_answer(self._answer(frame.pull.from_seq))


class FakeCrew:
    def __init__(self) -> None:
        self.tally = Tally()
        self.window = Window(0.0, 0.0, 1e12)
        self.random = random.Random(1)


def read(answer: Callable[[int], ServerFrame]) -> Tally:
    """What is counted of one page that is answered so."""
    crew = FakeCrew()
    scenario = HistoryScenario(cast("Crew", crew), HistorySettings())
    scenario._joined = Joined(1, 0)
    scenario._read(cast("Seat", type("S", (), {"client": Reader(answer)})()), 1.0)
    return crew.tally


def page(count: int, *, more: bool, lacks: int | None = None) -> Callable[[int], ServerFrame]:
    def answer(first: int) -> ServerFrame:
        seqs = [first + place for place in range(count) if place != lacks]
        return ServerFrame(pull=PullResponse(messages=[Message(seq=seq) for seq in seqs], more=more))

    return answer


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (page(PAGE, more=True), {}),
        (page(PAGE, more=False), {}),
        (page(12, more=True), {}),
        (page(12, more=False), {SHORT: 1}),
        (page(0, more=True), {SHORT: 1}),
        (page(PAGE, more=True, lacks=5), {SHORT: 1}),
    ],
)
def test_a_page_lacks_something_unless_it_was_only_ended_early(answer: Any, counts: dict[str, int]) -> None:
    tally = read(answer)
    assert (tally.acked, tally.counts) == (1, counts)


def test_a_refused_page_is_neither_read_nor_short() -> None:
    tally = read(lambda _first: ServerFrame(error=Error(name="OVERLOADED")))
    assert (tally.offered, tally.acked, tally.counts) == (1, 0, {"page refused OVERLOADED": 1})
    assert tally.others["page"].take() == {}
