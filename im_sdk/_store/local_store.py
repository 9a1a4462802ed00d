"""The store as applications and the client see it."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar
from uuid import uuid4

from im_sdk._accounts import Tokens
from im_sdk._errors import ImError
from im_sdk._models import Message
from im_sdk._outbox import Draft
from im_sdk._snapshot import Snapshot
from im_sdk._store import rows
from im_sdk._store.progress import Progress

T = TypeVar("T")
P = ParamSpec("P")
_OWNER_ONLY: Final = 0o600


class StoreError(ImError):
    """The local store cannot be used (number 0, name STORE_…)."""


class LocalStore:
    """Cursors, messages and unsent messages of one account, in one SQLite file.

    It belongs to the first account that uses it, and is never used for another one. A message that `Client.send` took
    is in it before it goes to the network, and leaves it with the acknowledgement: after a crash at any moment it is
    sent again with the same id, so that it is stored once. One client at a time.

    Args:
        path: the file; made if there is none, readable by its owner alone.
        keep_tokens: keep the tokens too, so that `Client.resume` needs no password after a restart. Whoever can read
            the file then is that account.
        keep_messages: kept per conversation, the newest.
    """

    def __init__(self, path: str | Path, *, keep_tokens: bool = False, keep_messages: int = 1_000) -> None:
        self._path = Path(path)
        self._keep_tokens = keep_tokens
        self._keep_messages = keep_messages
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="im-sdk-store")
        """One thread: what is asked later is done later."""
        self.device_id = ""

    async def open(self, server: str) -> Tokens | None:
        """Open the file for a server; gives the tokens, if they were kept.

        Raises:
            StoreError: it belongs to another server, or cannot be read.
        """
        return await self._do(self._open, server)

    async def bind(self, user_id: int) -> Snapshot:
        """Use it for an account; gives what an earlier session left.

        Raises:
            StoreError: it belongs to another account.
        """

        def work(connection: sqlite3.Connection) -> Snapshot:
            owner = rows.get_meta(connection, "user_id")
            if owner not in {"", str(user_id)}:
                raise StoreError(0, "STORE_OF_OTHER_ACCOUNT", f"{self._path} belongs to account {owner}")
            rows.set_meta(connection, "user_id", str(user_id))
            return rows.load(connection)

        return await self._run(work)

    async def keep_tokens(self, tokens: Tokens | None) -> None:
        """Keep or forget the tokens, if this store keeps them at all."""
        if self._keep_tokens:
            await self._run(rows.set_tokens, tokens)

    async def keep_draft(self, draft: Draft) -> None:
        """Returns once the message is on disk."""
        await self._run(rows.keep_draft, draft)

    async def rename_draft(self, old: str, new: str) -> None:
        """Returns once the new id is on disk."""
        await self._run(rows.rename_draft, old, new)

    def drop_draft(self, client_message_id: str) -> None:
        """Take a message back; done after what was asked before."""
        connection = self._connection
        if connection is not None:
            self._thread.submit(rows.drop_drafts, connection, [client_message_id])

    async def apply(self, steps: Sequence[Progress]) -> None:
        """Returns once the steps are on disk."""
        await self._run(rows.apply, steps, keep_messages=self._keep_messages)

    async def messages(self, conversation_id: int, *, before: int | None = None, limit: int = 50) -> list[Message]:
        """Kept messages, ascending; works without a connection.

        Args:
            conversation_id: of which conversation.
            before: only those below this seq; None: the newest.
            limit: at most so many.
        """
        return await self._run(rows.messages, conversation_id, before, limit)

    async def close(self) -> None:
        """Close the file; what was asked before is done first."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await self._do(connection.close)
        self._thread.shutdown(wait=False)

    def _open(self, server: str) -> Tokens | None:
        try:
            self._path.touch(mode=_OWNER_ONLY)
            connection = rows.open_file(str(self._path))
        except (OSError, sqlite3.Error, rows.StoreVersionError) as error:
            raise StoreError(0, "STORE_UNREADABLE", str(error)) from error
        try:
            tokens = self._adopt(connection, server)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return tokens

    def _adopt(self, connection: sqlite3.Connection, server: str) -> Tokens | None:
        known = rows.get_meta(connection, "server")
        if known not in {"", server}:
            raise StoreError(0, "STORE_OF_OTHER_SERVER", f"{self._path} belongs to {known}, not to {server}")
        rows.set_meta(connection, "server", server)
        self.device_id = rows.get_meta(connection, "device_id") or uuid4().hex
        rows.set_meta(connection, "device_id", self.device_id)
        return rows.get_tokens(connection) if self._keep_tokens else None

    async def _run(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        connection = self._connection
        if connection is None:
            raise StoreError(0, "STORE_CLOSED", f"{self._path} is not open")
        return await self._do(lambda: work(connection, *args, **kwargs))

    async def _do(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        def guarded() -> T:
            try:
                return work(*args, **kwargs)
            except sqlite3.Error as error:
                raise StoreError(0, "STORE_FAILED", f"{self._path}: {error}") from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)
