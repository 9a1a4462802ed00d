"""Account events under any order of appends and reads: pts without holes, and nobody misses anything unsaid."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, select

from im_proto.v1.sync_pb2 import AccountEvent, Joined
from im_repo.account_events import append
from im_repo.account_events.append import append_events
from im_repo.account_events.read import read_events
from im_repo.schema import USER_EVENT
from tests.support.databases import AnyDatabase

USERS = (5, 6, 7)


class AccountEvents(RuleBasedStateMachine):
    """Three users; the model is a list of conversations per user, its index the pts - 1."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.connection = engine.connect()
        self.joined: dict[int, list[int]] = {user_id: [] for user_id in USERS}
        self.made = 0

    def teardown(self) -> None:
        """The whole run was one transaction."""
        self.connection.rollback()
        self.connection.close()

    @rule(counts=st.dictionaries(st.sampled_from(USERS), st.integers(0, 4)), many=st.sampled_from([1, 1, 1, 300]))
    def events_are_appended(self, counts: dict[int, int], many: int) -> None:
        events: dict[int, list[AccountEvent]] = {}
        for user_id, count in counts.items():
            events[user_id] = []
            for _ in range(count * many):
                self.made += 1
                self.joined[user_id].append(self.made)
                events[user_id].append(AccountEvent(joined=Joined(conversation_id=self.made)))
        last = append_events(self.connection, events, self.made)
        assert last == {user_id: len(self.joined[user_id]) for user_id, count in counts.items() if count}

    @rule(user_id=st.sampled_from(USERS), back=st.integers(0, 3_000))
    def somebody_catches_up(self, user_id: int, back: int) -> None:
        joined = self.joined[user_id]
        after = max(0, len(joined) - back)
        answer = read_events(self.connection, user_id, after_pts=after)
        assert answer.max_pts == len(joined)
        if answer.reset:
            assert len(joined) - after > append.EVENTS_KEPT
            assert answer.events == []
        else:
            assert [event.pts for event in answer.events] == list(range(after + 1, len(joined) + 1))
            assert [event.joined.conversation_id for event in answer.events] == joined[after:]

    @rule(user_id=st.sampled_from(USERS), ahead=st.integers(1, 10))
    def somebody_knows_the_future(self, user_id: int, ahead: int) -> None:
        answer = read_events(self.connection, user_id, after_pts=len(self.joined[user_id]) + ahead)
        assert (answer.reset, answer.events) == (True, [])

    @invariant()
    def rows_are_dense_and_bounded(self) -> None:
        for user_id, joined in self.joined.items():
            of = select(USER_EVENT.c.pts).where(USER_EVENT.c.user_id == user_id).order_by(USER_EVENT.c.pts)
            pts = list(self.connection.scalars(of))
            assert pts == list(range(len(joined) - len(pts) + 1, len(joined) + 1))
            assert min(len(joined), append.EVENTS_KEPT) <= len(pts) < append.EVENTS_KEPT + append.TRIM_EVERY


def test_pts_have_no_holes(any_database: AnyDatabase) -> None:
    run_state_machine_as_test(
        lambda: AccountEvents(any_database.engine),
        settings=settings(max_examples=any_database.examples(25), stateful_step_count=20, deadline=None),
    )
