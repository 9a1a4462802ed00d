"""The append against a list in memory: random sends, repeats, conflicts, joins, leaves, recalls, edits, in any batches."""

import itertools
import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, insert, select

from im_infra.errors import ImError
from im_infra.sql.statements import close
from im_repo.conversations.make import NewConversation, conversation_row, insert_first_members
from im_repo.log.append_batch import BatchTerms, append_batch
from im_repo.log.draft import Draft, Effects, Guards, MemberChange, Recheck, Stored
from im_repo.log.fanout_class import FanoutBounds
from im_repo.log.read_range import RangeQuery, read_range
from im_repo.schema import CONVERSATION, MEMBER, MESSAGE, OUTBOX, USER_EVENT, USER_STATE
from tests.support.databases import AnyDatabase

USERS = range(1, 7)
FOUNDERS = (1, 2, 3)
LOGS = (70, 71)
TERMS = BatchTerms("boot", 3_000, FanoutBounds(large_above=4, small_below=3))


@dataclass
class Entry:
    """An entry of the model's log."""

    draft: Draft
    count: int
    recalled: bool = False
    edit_seq: int = 0


@dataclass
class Log:
    """A conversation as a list."""

    entries: list[Entry] = field(default_factory=list)
    members: set[int] = field(default_factory=lambda: set(FOUNDERS))
    windows: dict[int, list[list[int]]] = field(default_factory=lambda: {user: [[1, 0]] for user in FOUNDERS})
    deny_version: int = 1
    fanout: int = 1

    def sees(self, user: int, seq: int) -> bool:
        return any(low <= seq and (not high or seq <= high) for low, high in self.windows.get(user, ()))


KINDS = (*["send"] * 4, *["recall", "edit"] * 3, "join", "join", "leave", "repeat", "repeat", "conflict", "stale")


class AppendMachine(RuleBasedStateMachine):
    """Batches of drafts go to both; outcomes and tables must agree."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.connection = engine.connect()
        self.logs = {log: Log() for log in LOGS}
        self.pts: dict[int, int] = {}
        self.sent: list[tuple[Draft, int]] = []
        self.numbers = itertools.count(1)

    @initialize()
    def make(self) -> None:
        for log in LOGS:
            new = NewConversation(conversation_id=log, kind=2, member_count=len(FOUNDERS))
            self.connection.execute(insert(CONVERSATION), conversation_row(new, 1))
            insert_first_members(self.connection, log, FOUNDERS, 1)

    def teardown(self) -> None:
        """The whole run was one transaction."""
        self.connection.rollback()
        self.connection.close()

    @rule(seed=st.integers(0, 1 << 32), size=st.integers(1, 20))
    def batch(self, seed: int, size: int) -> None:
        """Model and unit take the same drafts; the model goes first, since drafts depend on it."""
        chance = random.Random(seed)
        drafts, expected = [], []
        for _ in range(size):
            draft = self._draw(chance)
            drafts.append(draft)
            expected.append(self._take(draft))
        ids = [next(self.numbers) for _ in drafts]
        result = close(self.connection, append_batch(self.connection, drafts, message_ids=ids, terms=TERMS))
        assert [_seen(outcome) for outcome in result.outcomes] == expected
        stored = [outcome for outcome in result.outcomes if isinstance(outcome, Stored) and not outcome.duplicate]
        covered = {(one.conversation_id, seq) for one in result.ranges for seq in range(one.from_seq, one.to_seq + 1)}
        assert covered == {(outcome.conversation_id, outcome.seq) for outcome in stored}
        assert bool(result.outbox_id) == bool(stored)
        for user in chance.sample(USERS, 3):
            self.read(user, chance.choice(LOGS), chance.choice((0, 1, 5)), 50)

    @invariant()
    def seq_is_dense_and_rows_agree(self) -> None:
        for log_id, log in self.logs.items():
            of_this = select(MESSAGE).where(MESSAGE.c.conversation_id == log_id)
            rows = self.connection.execute(of_this.order_by(MESSAGE.c.seq)).all()
            assert [row.seq for row in rows] == list(range(1, len(log.entries) + 1))
            assert [row._mapping["count"] for row in rows] == [entry.count for entry in log.entries]
            assert [row.client_message_id for row in rows] == [one.draft.client_message_id for one in log.entries]
            assert [bool(row.flags & 1) for row in rows] == [entry.recalled for entry in log.entries]
            head = self.connection.execute(select(CONVERSATION).where(CONVERSATION.c.conversation_id == log_id)).all()
            if head:
                [head] = head
                assert (head.max_seq, head.max_count) == (len(rows), log.entries[-1].count if rows else 0)
                assert (head.member_count, head.fanout) == (len(log.members), log.fanout)
                assert head.deny_version == log.deny_version
            inside = select(MEMBER.c.user_id).where(MEMBER.c.conversation_id == log_id, MEMBER.c.state == 1)
            assert set(self.connection.scalars(inside)) == (log.members if head else set())

    @invariant()
    def pts_are_dense(self) -> None:
        for user, last in self.pts.items():
            events = self.connection.scalars(select(USER_EVENT.c.pts).where(USER_EVENT.c.user_id == user)).all()
            assert sorted(events) == list(range(1, last + 1))
        assert dict(self.connection.execute(select(USER_STATE)).all()) == self.pts

    @invariant()
    def every_entry_is_guarded(self) -> None:
        rows = len(self.connection.execute(select(OUTBOX.c.id)).all())
        assert (rows > 0) == any(log.entries for log in self.logs.values())

    @rule(
        user=st.sampled_from(list(USERS)),
        log_id=st.sampled_from(LOGS),
        start=st.integers(0, 12),
        limit=st.integers(1, 9),
    )
    def read(self, user: int, log_id: int, start: int, limit: int) -> None:
        """A reader gets what the model lets them see, and is told what is missing in between."""
        log = self.logs[log_id]
        query = RangeQuery(log_id, user, from_seq=start, limit=limit)
        if user not in log.windows:
            try:
                read_range(self.connection, query)
            except ImError as error:
                assert error.reason.name == "CONVERSATION_NOT_FOUND"  # noqa: PT017 - both outcomes are looked at
                return
            raise AssertionError("a stranger read")
        found = read_range(self.connection, query)
        visible = [seq for seq in range(1, len(log.entries) + 1) if log.sees(user, seq)]
        wanted = [seq for seq in visible if seq >= start][:limit] if start else visible[-limit:]
        assert [entry.seq for entry in found.entries] == wanted
        for entry in found.entries:
            self._check_entry(log, user, entry)
        if start and found.entries:
            missing = {seq for span in found.missing for seq in range(span.from_seq, span.to_seq + 1)}
            last = found.entries[-1].seq if found.more else found.max_seq
            assert missing == {seq for seq in range(max(start, found.floor), last + 1) if not log.sees(user, seq)}

    def _check_entry(self, log: Log, user: int, entry: Any) -> None:
        mine = log.entries[entry.seq - 1]
        assert entry.recalled == mine.recalled
        if mine.recalled or (mine.draft.ref_seq and not log.sees(user, mine.draft.ref_seq)):
            assert not entry.body
        if mine.recalled:
            assert not entry.edit_time
        elif mine.edit_seq and log.sees(user, mine.edit_seq):
            assert entry.changed_seq == mine.edit_seq

    def _draw(self, chance: random.Random) -> Draft:
        kind = chance.choice(KINDS)
        log_id = chance.choice(LOGS)
        log = self.logs[log_id]
        sender = chance.choice([*USERS, *log.members, *log.members])
        number = next(self.numbers)
        draft = Draft(
            conversation_id=log_id,
            sender_id=sender,
            client_message_id=number.to_bytes(16),
            digest=number.to_bytes(16),
            type=1,
            ref_seq=0,
            countable=True,
            body=b"\x0a\x03\x0a\x01x",
            deny_version=log.deny_version,
            guards=Guards(sender_min_role=1),
        )
        if kind in {"repeat", "conflict"} and self.sent:
            earlier = chance.choice(self.sent)[0]
            return earlier if kind == "repeat" else earlier._replace(digest=b"other" + bytes(11))
        if kind == "stale":
            return draft._replace(deny_version=log.deny_version + 1)
        subject = chance.choice(USERS)
        if kind == "join":
            return draft._replace(type=3, countable=False, effects=Effects(members=[MemberChange(subject, 1)]))
        if kind == "leave":
            return draft._replace(type=3, countable=False, effects=Effects(members=[MemberChange(subject, 3)]))
        if kind in {"recall", "edit"}:
            target = chance.randint(max(1, len(log.entries) - 6), len(log.entries) + 1)
            guards = Guards(sender_min_role=1, target_unrecalled=True)
            effects = Effects(blank_target=kind == "recall", edit_target=kind == "edit")
            body = b"" if kind == "recall" else b"\x22\x03\x0a\x01y"
            return draft._replace(
                type=5 if kind == "recall" else 4, ref_seq=target, countable=False, body=body, guards=guards,
                effects=effects,
            )  # fmt: skip
        return draft

    def _take(self, draft: Draft) -> tuple[object, ...]:
        """What the model says to a draft; it changes as the log must."""
        log = self.logs[draft.conversation_id]
        for earlier, seq in self.sent:
            if earlier[:3] == draft[:3]:
                return ("duplicate", seq) if earlier.digest == draft.digest else ("CONFLICT",)
        refusal = self._refuse(log, draft)
        if refusal is not None:
            return refusal
        seq = len(log.entries) + 1
        effects = draft.effects or Effects()
        for change in effects.members:
            self._move(log, change, seq)
        if effects.blank_target:
            log.entries[draft.ref_seq - 1].recalled = True
        if effects.edit_target:
            log.entries[draft.ref_seq - 1].edit_seq = seq
        log.entries.append(Entry(draft, (log.entries[-1].count if log.entries else 0) + draft.countable))
        self.sent.append((draft, seq))
        return ("stored", seq, log.entries[-1].count, log.deny_version, log.fanout)

    @staticmethod
    def _refuse(log: Log, draft: Draft) -> tuple[object, ...] | None:
        if draft.deny_version != log.deny_version:
            return ("recheck", log.deny_version)
        if draft.sender_id not in log.members:
            return ("NOT_A_MEMBER",) if draft.sender_id in log.windows else ("CONVERSATION_NOT_FOUND",)
        if draft.ref_seq:
            if draft.ref_seq > len(log.entries) or not log.sees(draft.sender_id, draft.ref_seq):
                return ("MESSAGE_NOT_FOUND",)
            if log.entries[draft.ref_seq - 1].recalled:
                return ("TARGET_RECALLED",)
        effects = draft.effects or Effects()
        if any(change.state == 3 and change.user_id not in log.members for change in effects.members):
            return ("USER_NOT_FOUND",)
        return None

    def _move(self, log: Log, change: MemberChange, seq: int) -> None:
        user = change.user_id
        if change.state == 1:
            if user in log.members:
                return
            log.members.add(user)
            log.windows.setdefault(user, []).append([seq, 0])
        else:
            log.members.remove(user)
            log.windows[user][-1][1] = seq
            log.deny_version += 1
        self.pts[user] = self.pts.get(user, 0) + 1
        if len(log.members) > TERMS.bounds.large_above:
            log.fanout = 2
        elif len(log.members) < TERMS.bounds.small_below:
            log.fanout = 1


def _seen(outcome: object) -> tuple[object, ...]:
    if isinstance(outcome, ImError):
        return (outcome.reason.name,)
    if isinstance(outcome, Recheck):
        return ("recheck", outcome.deny_version)
    assert isinstance(outcome, Stored)
    if outcome.duplicate:
        return ("duplicate", outcome.seq)
    return ("stored", outcome.seq, outcome.count, outcome.deny_version, outcome.fanout)


def test_the_append_agrees_with_a_list(any_database: AnyDatabase) -> None:
    run_state_machine_as_test(
        lambda: AppendMachine(any_database.engine),
        settings=settings(
            max_examples=any_database.examples(25),
            stateful_step_count=15,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),  # drafts come from a seed, which does not shrink
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
