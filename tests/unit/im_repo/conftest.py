"""Any database with the whole schema, for units that are plain functions over a connection."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, update

from im_infra.sql.abstract import Database
from im_proto.v1.account_pb2 import USER_KIND_GUEST, USER_KIND_REGISTERED
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_DIRECT, CONVERSATION_KIND_GROUP
from im_proto.v1.message_pb2 import (
    MESSAGE_TYPE_EDIT,
    MESSAGE_TYPE_RECALL,
    MESSAGE_TYPE_TEXT,
    Content,
    Mention,
    Text,
)
from im_repo.conversations.make import NewConversation, conversation_row, insert_first_members
from im_repo.schema import CONVERSATION, CURSOR, DIRECT, MEMBER, MEMBER_WINDOW, MESSAGE, USER
from tests.support.databases import AnyDatabase


@pytest.fixture
def engine(any_database: AnyDatabase) -> Engine:
    """A database of the test's own; open two connections of it where units meet each other."""
    return any_database.engine


@pytest.fixture
async def database(any_database: AnyDatabase) -> AsyncIterator[Database]:
    """The product's own database, for what lies above the units."""
    async with any_database.open() as database:
        yield database


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """One write transaction that lasts for the test."""
    with engine.begin() as connection:
        yield connection


class Seed:
    """Puts users, conversations and entries into the tables, as an append would leave them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def user(self, *user_ids: int, kind: int = USER_KIND_REGISTERED, seen_time: int = 1) -> None:
        for user_id in user_ids:
            row = {
                "user_id": user_id,
                "handle": None if kind == USER_KIND_GUEST else f"user{user_id}",
                "display_name": f"User {user_id}",
                "kind": kind,
                "password_hash": "",
                "disabled_time": 0,
                "created_time": 1,
                "seen_time": seen_time,
            }
            self.connection.execute(insert(USER), row)

    def conversation(
        self, conversation_id: int, *members: int, kind: int = CONVERSATION_KIND_GROUP, now: int = 1, **columns: object
    ) -> None:
        """An empty conversation whose members see it from the beginning."""
        new = NewConversation(conversation_id=conversation_id, kind=kind, member_count=len(members))
        self.connection.execute(insert(CONVERSATION), {**conversation_row(new, now), **columns})
        if members:
            insert_first_members(self.connection, conversation_id, members, now)
        if kind == CONVERSATION_KIND_DIRECT:
            pair = {"low_user_id": min(members), "high_user_id": max(members), "conversation_id": conversation_id}
            self.connection.execute(insert(DIRECT), pair)

    def member(self, conversation_id: int, user_id: int, *windows: tuple[int, int], state: int) -> None:
        """A member's row, made or changed, with these windows."""
        of = (MEMBER.c.conversation_id == conversation_id) & (MEMBER.c.user_id == user_id)
        if self.connection.execute(update(MEMBER).where(of).values(state=state)).rowcount == 0:
            row = {
                "conversation_id": conversation_id,
                "user_id": user_id,
                "role": 1,
                "state": state,
                "muted_until_time": 0,
                "joined_time": 1,
                "left_time": 0,
                "version": 1,
            }
            self.connection.execute(insert(MEMBER), row)
        self.connection.execute(
            delete(MEMBER_WINDOW).where(
                MEMBER_WINDOW.c.conversation_id == conversation_id, MEMBER_WINDOW.c.user_id == user_id
            )
        )
        for from_seq, to_seq in windows:
            key = {"conversation_id": conversation_id, "user_id": user_id}
            self.connection.execute(insert(MEMBER_WINDOW), {**key, "from_seq": from_seq, "to_seq": to_seq})

    def say(
        self,
        conversation_id: int,
        sender_id: int,
        text: str = "hello",
        *,
        mentions: tuple[int, ...] = (),
        type: int = MESSAGE_TYPE_TEXT,  # noqa: A002 - the column's name
        ref_seq: int = 0,
        now: int = 1,
    ) -> int:
        """Append an entry; an edit or a recall changes its target, as the append would. Returns its seq."""
        this = CONVERSATION.c.conversation_id == conversation_id
        head = self.connection.execute(select(CONVERSATION.c.max_seq, CONVERSATION.c.max_count).where(this)).one()
        seq, countable = head.max_seq + 1, type == MESSAGE_TYPE_TEXT
        said = Text(text=text, mentions=[Mention(user_id=user_id, length=1) for user_id in mentions])
        content = Content(edit=said) if type == MESSAGE_TYPE_EDIT else Content(text=said)
        row = {
            "conversation_id": conversation_id,
            "seq": seq,
            "count": head.max_count + countable,
            "message_id": conversation_id * 10_000 + seq,
            "sender_id": sender_id,
            "client_message_id": seq.to_bytes(16),
            "digest": bytes(16),
            "ref_seq": ref_seq,
            "type": type,
            "flags": 4 if countable else 0,
            "edit_seq": 0,
            "changed_seq": 0,
            "server_time": now,
            "body": content.SerializeToString(),
        }
        self.connection.execute(insert(MESSAGE), row)
        self.connection.execute(update(CONVERSATION).where(this).values(max_seq=seq, max_count=row["count"]))
        target = (MESSAGE.c.conversation_id == conversation_id) & (MESSAGE.c.seq == ref_seq)
        if type == MESSAGE_TYPE_EDIT:
            self.connection.execute(update(MESSAGE).where(target).values(edit_seq=seq, changed_seq=seq))
        if type == MESSAGE_TYPE_RECALL:
            recalled = {"flags": MESSAGE.c.flags.bitwise_or(1), "changed_seq": seq, "body": b""}
            self.connection.execute(update(MESSAGE).where(target).values(recalled))
        return seq

    def cursor(self, user_id: int, conversation_id: int, **columns: int) -> None:
        names = ("read_seq", "read_count", "received_seq", "hide_seq", "hide_count", "last_send_time", "settings")
        row = {"user_id": user_id, "conversation_id": conversation_id, **dict.fromkeys(names, 0), **columns}
        self.connection.execute(insert(CURSOR), row)


@pytest.fixture
def seed(connection: Connection) -> Seed:
    """Fills the test's transaction."""
    return Seed(connection)


@pytest.fixture
def seed_in() -> type[Seed]:
    """Fills a transaction of the test's choice."""
    return Seed


class Numbers:
    """Ids 1001, 1002, … in the place of snowflakes."""

    def __init__(self) -> None:
        self._last = 1_000

    def next_id(self) -> int:
        return self.next_ids(1)[0]

    def next_ids(self, count: int) -> list[int]:
        self._last += count
        return list(range(self._last - count + 1, self._last + 1))


@pytest.fixture
def ids() -> Numbers:
    """Makes ids."""
    return Numbers()
