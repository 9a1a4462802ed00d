"""Both ends of a stream, joined by two wires, under arbitrary interleavings."""

from collections import deque

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core.client_end import ClientEnd
from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.server_end import ServerEnd
from im_infra.rpc.core.wire_form import from_wire, to_wire
from im_infra.rpc.peer import Peer
from im_infra.rpc.settings import StreamSettings
from im_proto.rpc.v1 import frame_pb2

SETTINGS = StreamSettings(
    window=6,
    max_waiting=5,
    max_waiting_bytes=4_000,
    max_pushes=7,
    max_push_bytes=6_000,
    max_frame_items=4,
    max_frame_bytes=1_024,
    max_body_bytes=3_000,
)
SIZE_LISTS = st.lists(st.sampled_from([8, 8, 8, 400, 700, 1_500]), min_size=1, max_size=6)


def read(wire: deque[bytes]) -> Frame:
    return from_wire(frame_pb2.Frame.FromString(wire.popleft()))


class TwoEnds(RuleBasedStateMachine):
    """What both sides are told is compared with plain lists of what was asked, answered and pushed."""

    def __init__(self) -> None:
        super().__init__()
        self.client = ClientEnd(Peer("client", "1"), SETTINGS)
        self.server = ServerEnd(Peer("server", "1"), SETTINGS)
        self.to_server: deque[bytes] = deque()
        self.to_client: deque[bytes] = deque()
        self.now = 0.0
        self.lost = False
        self.steps = 0
        self.quiet_steps = 0
        self.deadlines: dict[bytes, float] = {}
        self.outcomes: dict[bytes, list[bytes | ImError]] = {}
        self.asked: list[bytes] = []
        self.written: set[bytes] = set()
        self.started: list[bytes] = []
        self.open: dict[int, bytes] = {}
        self.given: list[bytes] = []
        self.pushed: list[bytes] = []
        self.given_before_push: list[int] = []
        self.heard: list[bytes] = []
        self.effects = 0
        self.acknowledged: list[int] = []

    @initialize(steps=st.integers(min_value=5, max_value=100))
    def nothing_happens_for_a_while(self, steps: int) -> None:
        """Otherwise nearly every stream would be lost before it holds anything."""
        self.quiet_steps = steps

    # the asking side

    @precondition(lambda self: not self.lost and self.client.accepts)
    @rule(sizes=SIZE_LISTS, timeout_s=st.sampled_from([0.5, 5.0, 50.0]))
    def ask(self, sizes: list[int], timeout_s: float) -> None:
        for size in sizes:
            self.ask_one(size, timeout_s)

    def ask_one(self, size: int, timeout_s: float) -> None:
        body = len(self.asked).to_bytes(8) + bytes(size - 8)
        outcomes: list[bytes | ImError] = []

        def on_answer(answer: bytes | None, error: ImError | None) -> None:
            assert (answer is None) is not (error is None)
            outcomes.append(error if answer is None else answer)

        if self.client.request(body, on_answer, self.now + timeout_s):
            self.asked.append(body)
            self.outcomes[body] = outcomes
            self.deadlines[body] = self.now + timeout_s

    @precondition(lambda self: not self.lost)
    @rule()
    def client_writes(self) -> None:
        frame = self.client.next_frame(self.now)
        if frame is not None:
            assert frame.acknowledged_push <= self.effects, "acknowledged before its effect"
            self.check_limits(frame)
            self.written |= {body for _, body in frame.requests}
            self.to_server.append(to_wire(frame).SerializeToString())

    @precondition(lambda self: not self.lost and self.to_client)
    @rule()
    def client_reads(self) -> None:
        received = self.client.receive(read(self.to_client))
        self.tell(received.answers)
        for push in received.pushes:
            before = self.given[: self.given_before_push[len(self.heard)]]
            assert all(self.outcomes[body] for body in before), "a push overtook an answer"
            self.heard.append(push)

    @precondition(lambda self: not self.lost and self.effects < len(self.heard))
    @rule()
    def a_push_takes_effect(self) -> None:
        self.effects += 1
        self.client.took_effect(1)

    # the answering side

    @precondition(lambda self: not self.lost and self.to_server)
    @rule()
    def server_reads(self) -> None:
        arrived = self.server.receive(read(self.to_server), self.now)
        for on_acknowledged in arrived.acknowledged:
            on_acknowledged()
        for asked in arrived.requests:
            assert asked.deadline <= self.deadlines[asked.body] + max(50.0, self.now)
            self.started.append(asked.body)
            self.open[asked.number] = asked.body

    @precondition(lambda self: not self.lost and self.open)
    @rule(
        which=st.lists(st.integers(min_value=0, max_value=5), min_size=1, max_size=6),
        fails=st.booleans(),
        along=st.booleans(),
    )
    def server_answers(self, which: list[int], fails: bool, along: bool) -> None:
        for place in which:
            if self.open:
                self.answer_one(sorted(self.open)[place % len(self.open)], fails=fails, along=along)

    def answer_one(self, number: int, *, fails: bool, along: bool) -> None:
        body = self.open.pop(number)
        error = ImError(error_table.SLOW_MODE, "slowly", retry_after_ms=7, detail=b"d") if fails else None
        if self.server.answer(number, b"" if fails else body, error, along=along):
            assert along or self.server.has_output, "somebody waits for it"
            self.given.append(body)
        assert not self.server.answer(number, b"again"), "the first answer counts"

    @precondition(lambda self: not self.lost)
    @rule(sizes=SIZE_LISTS)
    def server_pushes(self, sizes: list[int]) -> None:
        for size in sizes:
            self.push_one(size)

    def push_one(self, size: int) -> None:
        number = len(self.pushed)
        body = number.to_bytes(8) + bytes(size - 8)
        if self.server.push(body, lambda: self.acknowledged.append(number)):
            self.pushed.append(body)
            self.given_before_push.append(len(self.given))

    @precondition(lambda self: not self.lost)
    @rule()
    def server_writes(self) -> None:
        frame = self.server.next_frame()
        if frame is not None:
            self.check_limits(frame)
            self.to_client.append(to_wire(frame).SerializeToString())

    @precondition(lambda self: not self.lost and self.steps > self.quiet_steps)
    @rule()
    def server_drains(self) -> None:
        self.server.drain()

    # the world

    @rule(seconds=st.sampled_from([0.1, 1.0, 10.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.tell(self.client.tick(self.now))
        self.server.tick(self.now)

    @precondition(lambda self: not self.lost and self.server.finished)
    @rule()
    def a_drained_stream_ends(self) -> None:
        self.lost = True
        while self.to_client:
            self.client_reads()
        assert not self.client.lose(), "a drained stream leaves nothing open"
        assert self.acknowledged == list(range(len(self.pushed)))

    @precondition(lambda self: not self.lost and self.steps > self.quiet_steps + 10)
    @rule()
    def the_stream_is_lost(self) -> None:
        self.lost = True
        unwritten = [body for body in self.asked if not self.outcomes[body] and body not in self.written]
        self.tell(self.client.lose())
        for body in unwritten:
            assert isinstance(self.outcomes[body][0], NotStartedError), "never written, so never started"

    @invariant()
    def steps_are_counted(self) -> None:
        self.steps += 1

    @invariant()
    def nobody_is_told_twice(self) -> None:
        assert all(len(outcomes) <= 1 for outcomes in self.outcomes.values())

    @invariant()
    def order_is_kept(self) -> None:
        places = [self.asked.index(body) for body in self.started]
        assert places == sorted(set(places)), "requests start in the order they were asked, once"
        assert self.heard == self.pushed[: len(self.heard)], "pushes come whole and in order"

    @invariant()
    def acknowledgements_follow_effects(self) -> None:
        assert self.acknowledged == list(range(len(self.acknowledged)))
        assert len(self.acknowledged) <= self.effects

    @invariant()
    def the_peer_is_bounded(self) -> None:
        assert len(self.open) <= SETTINGS.window + sum(deadline <= self.now for deadline in self.deadlines.values())
        assert len(self.pushed) - len(self.acknowledged) <= SETTINGS.max_pushes

    def teardown(self) -> None:
        """Let everything come to its end: everybody is told, and a drained stream leaves nothing unknown."""
        if not self.lost:
            self.settle()
            assert self.acknowledged == list(range(len(self.pushed)))
            assert self.heard == self.pushed
            self.server.drain()
            self.settle()
            assert self.server.finished
            unknown = [error for [error] in self.outcomes.values() if isinstance(error, ImError)]
            assert all(error.reason is not error_table.UNAVAILABLE for error in unknown)
            assert not self.client.lose()
        assert all(len(outcomes) == 1 for outcomes in self.outcomes.values())
        for body, [outcome] in self.outcomes.items():
            assert isinstance(outcome, ImError) or outcome == body

    def settle(self) -> None:
        for _ in range(100):
            self.server_writes()
            self.client_writes()
            while self.to_client:
                self.client_reads()
            while self.to_server:
                self.server_reads()
            while self.effects < len(self.heard):
                self.a_push_takes_effect()
            while self.open:
                self.server_answers([0], fails=False, along=True)
            self.tell(self.client.tick(self.now))  # nothing is put off any longer
            self.server.tick(self.now)
            if not self.server.has_output and not self.client.has_output:
                return
        raise AssertionError("the stream never comes to rest")

    def tell(self, answers: list) -> None:
        for on_answer, body, error in answers:
            on_answer(body, error)

    def check_limits(self, frame: Frame) -> None:
        bodies = [body for _, body in frame.requests]
        bodies += [result for _, result in frame.answers if isinstance(result, bytes)]
        bodies += frame.pushes
        assert len(bodies) <= SETTINGS.max_frame_items
        assert len(bodies) == 1 or sum(map(len, bodies)) <= SETTINGS.max_frame_bytes


TestTwoEnds = TwoEnds.TestCase
TestTwoEnds.settings = hypothesis_settings(max_examples=150, stateful_step_count=60, deadline=None)
