"""Heads and read cursors against a log in memory: whatever is said, edited, recalled, left and read."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, delete, insert, update

from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_GROUP, MEMBER_STATE_IN, MEMBER_STATE_LEFT
from im_proto.v1.message_pb2 import (
    MESSAGE_TYPE_EDIT,
    MESSAGE_TYPE_NOTICE,
    MESSAGE_TYPE_RECALL,
    MESSAGE_TYPE_TEXT,
    Content,
    Mention,
    Text,
)
from im_repo.conversations.head_rows import HeadsQuery
from im_repo.conversations.make import NewConversation, conversation_row, insert_first_members
from im_repo.conversations.read_heads import read_heads
from im_repo.cursors.mark_reads import mark_reads
from im_repo.cursors.standings import Place
from im_repo.schema import CONVERSATION, MEMBER, MEMBER_WINDOW, MESSAGE
from tests.support.databases import AnyDatabase

ME, OTHER, HERE = 7, 8, 1


@dataclass
class Entry:
    """An entry as a list in memory keeps it."""

    sender_id: int
    countable: bool
    mentions: bool = False
    text: str = ""
    recalled: bool = False
    edits: list[tuple[int, str, bool]] = field(default_factory=list)


class Heads(RuleBasedStateMachine):
    """One group; `ME` reads, leaves and comes back while others write."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.connection = engine.connect()
        row = conversation_row(NewConversation(conversation_id=HERE, kind=CONVERSATION_KIND_GROUP), 1)
        self.connection.execute(insert(CONVERSATION), row)
        insert_first_members(self.connection, HERE, [ME, OTHER], 1)
        self.log: list[Entry] = []
        self.windows: list[list[int]] = [[1, 0]]
        self.read_seq = 0

    def teardown(self) -> None:
        self.connection.rollback()
        self.connection.close()

    @property
    def inside(self) -> bool:
        return self.windows[-1][1] == 0

    def visible(self) -> list[int]:
        return [
            seq
            for seq in range(1, len(self.log) + 1)
            if any(low <= seq and (not high or seq <= high) for low, high in self.windows)
        ]

    def append(self, sender_id: int, kind: int, content: Content, ref_seq: int = 0) -> int:
        seq, countable = len(self.log) + 1, kind == MESSAGE_TYPE_TEXT
        self.log.append(Entry(sender_id, countable))
        count = sum(entry.countable for entry in self.log)
        row: dict[str, Any] = {
            "conversation_id": HERE, "seq": seq, "count": count, "message_id": seq, "sender_id": sender_id,
            "client_message_id": seq.to_bytes(16), "digest": bytes(16), "ref_seq": ref_seq, "type": kind,
            "flags": 4 if countable else 0, "edit_seq": 0, "changed_seq": 0, "server_time": seq,
            "body": content.SerializeToString(),
        }  # fmt: skip
        self.connection.execute(insert(MESSAGE), row)
        self.connection.execute(update(CONVERSATION).values(max_seq=seq, max_count=count))
        return seq

    @rule(sender_id=st.sampled_from([ME, OTHER, OTHER]), mentions=st.booleans(), text=st.text(max_size=20))
    def somebody_says_something(self, sender_id: int, mentions: bool, text: str) -> None:
        said = Text(text=text, mentions=[Mention(user_id=ME, length=1)] if mentions else [])
        seq = self.append(sender_id, MESSAGE_TYPE_TEXT, Content(text=said))
        self.log[seq - 1].mentions, self.log[seq - 1].text = mentions, text

    @rule(times=st.sampled_from([3, 60]))
    def much_happens_that_does_not_count(self, times: int) -> None:
        for _ in range(times):
            self.append(0, MESSAGE_TYPE_NOTICE, Content())

    @precondition(lambda self: any(entry.countable for entry in self.log))
    @rule(data=st.data(), mentions=st.booleans(), text=st.text(max_size=5))
    def a_message_is_edited(self, data: st.DataObject, mentions: bool, text: str) -> None:
        target = data.draw(st.sampled_from([seq for seq, entry in enumerate(self.log, 1) if entry.countable]))
        if self.log[target - 1].recalled:
            return
        said = Text(text=text, mentions=[Mention(user_id=ME, length=1)] if mentions else [])
        seq = self.append(self.log[target - 1].sender_id, MESSAGE_TYPE_EDIT, Content(edit=said), target)
        self.log[target - 1].edits.append((seq, text, mentions))
        self.connection.execute(update(MESSAGE).where(MESSAGE.c.seq == target).values(edit_seq=seq, changed_seq=seq))

    @precondition(lambda self: any(entry.countable for entry in self.log))
    @rule(data=st.data())
    def a_message_is_recalled(self, data: st.DataObject) -> None:
        target = data.draw(st.sampled_from([seq for seq, entry in enumerate(self.log, 1) if entry.countable]))
        seq = self.append(self.log[target - 1].sender_id, MESSAGE_TYPE_RECALL, Content(), target)
        self.log[target - 1].recalled = True
        blank = {"flags": MESSAGE.c.flags.bitwise_or(1), "changed_seq": seq, "body": b""}
        self.connection.execute(update(MESSAGE).where(MESSAGE.c.seq == target).values(blank))

    @rule(seq=st.integers(0, 400))
    def i_read(self, seq: int) -> None:
        states = mark_reads(self.connection, {Place(ME, HERE): seq}, 1)
        if not self.inside:
            assert states == []
            return
        before = self.read_seq
        self.read_seq = max([before, *(one for one in self.visible() if one <= seq)])
        assert (states[0].read_seq, states[0].moved) == (self.read_seq, self.read_seq > before)
        assert states[0].unread == self.unread()

    @precondition(lambda self: self.inside)
    @rule()
    def i_leave(self) -> None:
        seq = self.append(0, MESSAGE_TYPE_NOTICE, Content())
        self.windows[-1][1] = seq
        self.set_membership(MEMBER_STATE_LEFT)

    @precondition(lambda self: not self.inside)
    @rule()
    def i_come_back(self) -> None:
        seq = self.append(0, MESSAGE_TYPE_NOTICE, Content())
        self.windows.append([seq, 0])
        self.set_membership(MEMBER_STATE_IN)
        mark_reads(self.connection, {Place(ME, HERE): seq}, 1)  # a join sets the cursor to its own entry
        self.read_seq = seq

    def set_membership(self, state: int) -> None:
        self.connection.execute(update(MEMBER).where(MEMBER.c.user_id == ME).values(state=state))
        self.connection.execute(delete(MEMBER_WINDOW).where(MEMBER_WINDOW.c.user_id == ME))
        for low, high in self.windows:
            window = {"conversation_id": HERE, "user_id": ME, "from_seq": low, "to_seq": high}
            self.connection.execute(insert(MEMBER_WINDOW), window)

    def unread_entries(self) -> list[Entry]:
        entries = [self.log[seq - 1] for seq in self.visible() if seq > self.read_seq]
        return [entry for entry in entries if entry.countable and entry.sender_id != ME and not entry.recalled]

    def unread(self) -> int:
        counted = [seq for seq in self.visible() if seq > self.read_seq and self.log[seq - 1].countable]
        reached = len(self.log) - 200
        return 100 if counted and counted[0] <= reached else min(100, len(self.unread_entries()))

    @invariant()
    def the_head_agrees(self) -> None:
        [head] = read_heads(self.connection, HeadsQuery(user_id=ME)).heads
        visible = self.visible()
        assert head.max_seq == max(visible, default=0)
        assert head.read_seq == self.read_seq
        assert head.unread == (self.unread() if self.inside else 0)
        if self.inside and head.unread < 100:
            now = [entry.edits[-1][2] if entry.edits else entry.mentions for entry in self.unread_entries()]
            assert head.mentioned == any(now)
        countable = [seq for seq in visible if self.log[seq - 1].countable]
        assert head.HasField("last_message") == bool(countable)
        if countable:
            entry = self.log[countable[-1] - 1]
            last = head.last_message
            seen = [text for seq, text, _ in entry.edits if seq in visible]
            assert (last.seq, last.recalled) == (countable[-1], entry.recalled)
            assert last.content.text.text == ("" if entry.recalled else seen[-1] if seen else entry.text)


def test_heads_agree_with_a_list(any_database: AnyDatabase) -> None:
    run_state_machine_as_test(
        lambda: Heads(any_database.engine),
        settings=settings(max_examples=any_database.examples(30), stateful_step_count=25, deadline=None),
    )
