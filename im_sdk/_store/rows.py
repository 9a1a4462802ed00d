"""The store's SQL: plain functions over one connection, each in a transaction of its own."""

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from im_proto.v1 import message_pb2
from im_sdk._accounts import Tokens
from im_sdk._events import ChangeKind, ConversationRewound, MessageChanged
from im_sdk._models import Message
from im_sdk._outbox import Draft
from im_sdk._snapshot import Snapshot
from im_sdk._store import format as form
from im_sdk._store.progress import Progress
from im_sdk._sync import SyncPoint

VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE conversation (conversation_id INTEGER PRIMARY KEY, epoch INTEGER, seq INTEGER, body TEXT NOT NULL);
CREATE TABLE message (
    conversation_id INTEGER, seq INTEGER, body TEXT NOT NULL, PRIMARY KEY (conversation_id, seq)
) WITHOUT ROWID;
CREATE TABLE draft (
    place INTEGER PRIMARY KEY AUTOINCREMENT, client_message_id TEXT NOT NULL UNIQUE, conversation_id INTEGER NOT NULL,
    ref_seq INTEGER NOT NULL, seen_seq INTEGER NOT NULL, content BLOB NOT NULL
);
"""


class StoreVersionError(Exception):
    """The file was written by a newer version."""


def open_file(path: str) -> sqlite3.Connection:
    """Open or make the file.

    Raises:
        StoreVersionError: it is of a newer version.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a draft that `send` took is there after a power cut
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    elif version != VERSION:
        raise StoreVersionError(f"{path} is of version {version}, this program knows {VERSION}")


def get_meta(connection: sqlite3.Connection, key: str) -> str:
    """A value, or nothing."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row is not None else ""


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a value."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def set_tokens(connection: sqlite3.Connection, tokens: Tokens | None) -> None:
    """Keep the tokens, or forget them."""
    set_meta(connection, "tokens", form.dump_tokens(tokens) if tokens is not None else "")


def get_tokens(connection: sqlite3.Connection) -> Tokens | None:
    """The tokens, if they are kept."""
    text = get_meta(connection, "tokens")
    return form.load_tokens(text) if text else None


def load(connection: sqlite3.Connection) -> Snapshot:
    """All that a session goes on from."""
    cursors: dict[int, tuple[int, int]] = {}
    conversations = []
    rows = connection.execute("SELECT conversation_id, epoch, seq, body FROM conversation")
    for conversation_id, epoch, seq, body in rows:
        conversations.append(form.load_conversation(body))
        if epoch is not None:
            cursors[conversation_id] = (epoch, seq)
    drafts = connection.execute(
        "SELECT conversation_id, client_message_id, content, ref_seq, seen_seq FROM draft ORDER BY place"
    )
    pts, time, generation = (get_meta(connection, "point") or "0 0 0").split()
    return Snapshot(
        point=SyncPoint(int(pts), int(time), int(generation)),
        cursors=cursors,
        conversations=tuple(conversations),
        drafts=tuple(
            # Nobody knows whether it was written before the program ended: it counts as a first try that was.
            Draft(key, client_id, message_pb2.Content.FromString(content), ref_seq=ref, seen_seq=seen, attempt=1)
            for key, client_id, content, ref, seen in drafts
        ),
    )


def keep_draft(connection: sqlite3.Connection, draft: Draft) -> None:
    """Keep a message before it is written to a socket."""
    connection.execute(
        "INSERT INTO draft (client_message_id, conversation_id, ref_seq, seen_seq, content) VALUES (?, ?, ?, ?, ?)",
        (
            draft.client_message_id,
            draft.conversation_id,
            draft.ref_seq,
            draft.seen_seq,
            draft.content.SerializeToString(),
        ),
    )


def rename_draft(connection: sqlite3.Connection, old: str, new: str) -> None:
    """A message that was never stored gets a new id; its place stays."""
    connection.execute("UPDATE draft SET client_message_id = ? WHERE client_message_id = ?", (new, old))


def drop_drafts(connection: sqlite3.Connection, client_message_ids: Iterable[str]) -> None:
    """Settled, or taken back."""
    connection.executemany("DELETE FROM draft WHERE client_message_id = ?", [(key,) for key in client_message_ids])


def messages(connection: sqlite3.Connection, conversation_id: int, before: int | None, limit: int) -> list[Message]:
    """Kept messages, ascending."""
    rows = connection.execute(
        "SELECT body FROM message WHERE conversation_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
        (conversation_id, before if before is not None else 2**62, limit),
    ).fetchall()
    return [form.load_message(body) for (body,) in reversed(rows)]


def apply(connection: sqlite3.Connection, steps: Iterable[Progress], *, keep_messages: int) -> None:
    """Write what changed, all in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps:
            _apply_step(connection, step, keep_messages)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _apply_step(connection: sqlite3.Connection, step: Progress, keep_messages: int) -> None:
    for item in step.log:
        match item:
            case Message():
                connection.execute(
                    "INSERT OR REPLACE INTO message VALUES (?, ?, ?)",
                    (item.conversation_id, item.seq, form.dump_message(item)),
                )
            case MessageChanged():
                _change(connection, item)
            case ConversationRewound(conversation_id, rewind_seq):
                connection.execute(
                    "DELETE FROM message WHERE conversation_id = ? AND seq > ?", (conversation_id, rewind_seq)
                )
    for conversation_id, conversation in step.conversations.items():
        if conversation is None:
            for table in ("conversation", "message"):
                connection.execute(f"DELETE FROM {table} WHERE conversation_id = ?", (conversation_id,))  # noqa: S608 - two names of ours
            continue
        epoch, seq = step.cursors.get(conversation_id, (None, None))
        connection.execute(
            "INSERT OR REPLACE INTO conversation VALUES (?, ?, ?, ?)",
            (conversation_id, epoch, seq, form.dump_conversation(conversation)),
        )
        if seq is not None:
            connection.execute(
                "DELETE FROM message WHERE conversation_id = ? AND seq <= ?", (conversation_id, seq - keep_messages)
            )
    drop_drafts(connection, step.settled)
    point = step.point
    set_meta(connection, "point", f"{point.pts} {point.since_time} {point.since_generation}")


def _change(connection: sqlite3.Connection, change: MessageChanged) -> None:
    where = (change.conversation_id, change.seq)
    row = connection.execute("SELECT body FROM message WHERE conversation_id = ? AND seq = ?", where).fetchone()
    if row is None:
        return
    message = form.load_message(row[0])
    if message.changed_seq >= change.entry_seq:
        return
    if change.change is ChangeKind.RECALLED:
        changed = replace(message, text=None, mentions=(), custom=None, recalled=True, changed_seq=change.entry_seq)
    else:
        changed = replace(
            message, text=change.text, mentions=(), edit_time=change.server_time, changed_seq=change.entry_seq
        )
    connection.execute(
        "UPDATE message SET body = ? WHERE conversation_id = ? AND seq = ?", (form.dump_message(changed), *where)
    )
