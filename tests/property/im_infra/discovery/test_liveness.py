"""Whatever happens to etcd, nobody is dropped for a reason that the rules do not name, and nobody who is there is missing."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from im_infra.discovery.abstract import Node
from im_infra.discovery.etcd.liveness import FAILURES, FAILURES_WITHIN_S, HOLD_S, Liveness

NUMBERS = st.integers(0, 8)
PASSING = st.sampled_from([0.1, 1.0, 3.0, 6.0, 16.0])


class Watched(RuleBasedStateMachine):
    """An etcd that may be away, and what a plain record of it allows."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.liveness = Liveness()
        self.boots = dict.fromkeys(range(9), 1)
        self.in_etcd: set[int] = set(range(9))
        self.blind = False
        self.seen_s: dict[int, float] = {}
        """How long we saw, in all, that a node was missing."""
        self.failed_at: dict[int, list[float]] = {}
        self.left: set[int] = set()

    def node(self, number: int) -> Node:
        return Node("gateway", f"g{number}", f"b{self.boots[number]}", "10.0.0.1:1")

    @initialize()
    def begin(self) -> None:
        self.liveness.see([self.node(number) for number in self.in_etcd], self.now)

    @rule(seconds=PASSING)
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        if not self.blind:
            for number in self.seen_s:
                self.seen_s[number] += seconds

    @rule(number=NUMBERS)
    def announce(self, number: int) -> None:
        if number not in self.in_etcd:
            self.boots[number] += number in self.left
            self.left.discard(number)
        self.in_etcd.add(number)
        if not self.blind:
            self.forget(number)
            self.liveness.put(self.node(number))

    @rule(number=NUMBERS)
    def end_lease(self, number: int) -> None:
        if number in self.in_etcd:
            self.in_etcd.discard(number)
            if not self.blind:
                self.seen_s.setdefault(number, 0.0)
                self.liveness.vanish("gateway", f"g{number}", self.now)

    @precondition(lambda self: not self.blind)
    @rule(number=NUMBERS)
    def leave(self, number: int) -> None:
        if number in self.in_etcd:
            self.in_etcd.discard(number)
            self.left.add(number)
            self.liveness.leave("gateway", f"g{number}")
            self.liveness.vanish("gateway", f"g{number}", self.now)

    @rule()
    def lose_sight(self) -> None:
        self.blind = True
        self.liveness.lose_sight(self.now)

    @precondition(lambda self: self.blind)
    @rule()
    def see(self) -> None:
        self.blind = False
        for number in range(9):
            if number in self.in_etcd:
                self.forget(number)
            elif number not in self.left:
                self.seen_s.setdefault(number, 0.0)
        self.liveness.see([self.node(number) for number in sorted(self.in_etcd)], self.now)

    @rule(number=NUMBERS)
    def fail(self, number: int) -> None:
        if any(each.node_id == f"g{number}" for each in self.liveness.doubted):
            self.failed_at.setdefault(number, []).append(self.now)
            self.liveness.failed(self.node(number), self.now)

    @rule(number=NUMBERS)
    def answer(self, number: int) -> None:
        self.failed_at.pop(number, None)
        self.liveness.answered(self.node(number))

    @rule()
    def drop(self) -> None:
        before = {each.node_id for each in self.liveness.nodes}
        doubted = {each.node_id for each in self.liveness.doubted}
        due = self.liveness.is_due(self.now)
        dropped = self.liveness.drop_due(self.now)
        gone = before - {each.node_id for each in self.liveness.nodes}
        assert dropped == due == bool(gone)
        assert not (gone and self.blind)
        for name in gone:
            number = int(name[1:])
            assert number not in self.in_etcd
            if name in doubted:
                recent = [at for at in self.failed_at.get(number, ()) if self.now - at <= 1_000]
                assert len(recent) >= FAILURES
                assert recent[-1] - recent[-FAILURES] <= FAILURES_WITHIN_S
            else:
                assert self.seen_s[number] >= HOLD_S - 0.001
            self.left.add(number)
            self.forget(number)
        if not self.blind:
            for name in before - gone - doubted:
                assert self.seen_s.get(int(name[1:]), 0.0) < HOLD_S + 0.001

    def forget(self, number: int) -> None:
        self.seen_s.pop(number, None)
        self.failed_at.pop(number, None)

    @invariant()
    def whoever_etcd_lists_is_there(self) -> None:
        if not self.blind:
            listed = {each.node_id for each in self.liveness.nodes}
            assert {f"g{number}" for number in self.in_etcd} <= listed


Watched.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestWatched = Watched.TestCase
