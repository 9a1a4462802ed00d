"""Refresh tokens under any order of presentations: one successor per token, and reuse ends the family."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, insert, select

from im_proto.repo.v1 import account_pb2 as pb
from im_repo.accounts.open_session import open_session
from im_repo.accounts.rotate_refresh import rotate_refresh
from im_repo.schema import REVOCATION, SESSION, USER
from tests.support.databases import AnyDatabase

GRACE_MS = 60
LIFETIME_MS = 1_000


def secret(counter: int) -> bytes:
    """The chain of secrets that were issued: each derived from the one before."""
    return b"issued" + counter.to_bytes(26)


class RefreshRotation(RuleBasedStateMachine):
    """A session whose tokens come back in any order, at any time, with forgeries among them."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.connection = engine.connect()
        user = {"user_id": 7, "handle": "ada", "display_name": "", "kind": 2, "password_hash": "", "disabled_time": 0}
        self.connection.execute(insert(USER), {**user, "created_time": 0, "seen_time": 0})
        wanted = pb.SessionRow(user_id=7, device_id="d", refresh_hash=secret(0), refresh_expire_time=LIFETIME_MS)
        open_session(self.connection, wanted, session_id=1, class_limit=0, now=0)
        self.now = 1
        self.counter = 0
        self.rotated_time = 0
        self.expire_time = LIFETIME_MS
        self.ended = False
        self.successors: dict[int, bytes] = {}

    def teardown(self) -> None:
        """The whole run was one transaction."""
        self.connection.rollback()
        self.connection.close()

    def present(self, presented: bytes, counter: int) -> pb.RotateRefreshResponse:
        request = pb.RotateRefreshRequest(
            session_id=1,
            presented_hash=presented,
            presented_counter=counter,
            next_hash=secret(counter + 1),
            next_expire_time=self.now + LIFETIME_MS,
            grace_ms=GRACE_MS,
        )
        return rotate_refresh(self.connection, request, now=self.now)

    def dead(self) -> bool:
        return self.ended or self.now >= self.expire_time

    @rule(ms=st.sampled_from([1, 10, GRACE_MS, GRACE_MS + 1, LIFETIME_MS]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @rule()
    def the_token_in_force_comes(self) -> None:
        answer = self.present(secret(self.counter), self.counter)
        if self.dead():
            assert answer.status == pb.ROTATE_STATUS_UNKNOWN
            return
        assert answer.status == pb.ROTATE_STATUS_ROTATED
        assert self.counter not in self.successors
        self.successors[self.counter] = answer.session.refresh_hash
        self.counter += 1
        self.rotated_time = self.now
        self.expire_time = self.now + LIFETIME_MS

    @precondition(lambda self: self.counter > 0)
    @rule()
    def the_predecessor_comes_again(self) -> None:
        answer = self.present(secret(self.counter - 1), self.counter - 1)
        if self.dead():
            assert answer.status == pb.ROTATE_STATUS_UNKNOWN
        elif self.now - self.rotated_time <= GRACE_MS:
            assert answer.status == pb.ROTATE_STATUS_REPEATED
            assert answer.session.refresh_hash == self.successors[self.counter - 1]
        else:
            assert answer.status == pb.ROTATE_STATUS_REUSED
            self.ended = True

    @precondition(lambda self: self.counter > 1)
    @rule(data=st.data())
    def an_older_token_comes(self, data: st.DataObject) -> None:
        counter = data.draw(st.integers(0, self.counter - 2))
        answer = self.present(secret(counter), counter)
        assert answer.status == (pb.ROTATE_STATUS_UNKNOWN if self.dead() else pb.ROTATE_STATUS_REUSED)
        self.ended = self.ended or answer.status == pb.ROTATE_STATUS_REUSED

    @rule(data=st.data(), forged=st.binary(min_size=32, max_size=32))
    def a_token_comes_that_was_never_issued(self, data: st.DataObject, forged: bytes) -> None:
        counter = data.draw(st.integers(max(0, self.counter - 1), self.counter + 3))
        assert self.present(forged, counter).status == pb.ROTATE_STATUS_UNKNOWN

    @invariant()
    def the_row_agrees(self) -> None:
        row = self.connection.execute(select(SESSION)).one()
        assert (row.refresh_counter, row.refresh_hash) == (self.counter, secret(self.counter))
        assert (row.revoked_time != 0) == self.ended
        assert row.generation == 1 + self.ended
        assert len(self.connection.execute(select(REVOCATION)).all()) == self.ended


def test_a_token_has_one_successor(any_database: AnyDatabase) -> None:
    run_state_machine_as_test(
        lambda: RefreshRotation(any_database.engine),
        settings=settings(max_examples=any_database.examples(40), stateful_step_count=25, deadline=None),
    )
