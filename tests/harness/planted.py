"""Bugs that others shipped, each planted at its one place: a proof that stays green over its bug proves nothing.

Run as a program (`python -m tests.harness.planted BUG up …`) it is `im` with that bug.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy.util import await_

from im_cli import main as im
from im_gateway.delivery.fan_out import FanOutDesk
from im_gateway.delivery.pushes import Pushes
from im_infra.sql.mysql import MysqlDatabase
from im_infra.sql.sqlite import SqliteDatabase
from im_infra.sql.statements import SHORTCUT, Statement, close
from im_logic.delivery.post import Post
from im_logic.delivery.small import SmallFanOut
from im_logic.repo_stream import RepoStream
from im_logic.sessions.open_connection import Hello, OpenConnection
from im_logic.sync.sync import Sync
from im_proto.route.v1.route_pb2 import RouteList
from im_proto.v1.sync_pb2 import SyncRequest, SyncResponse
from im_repo.cursors import mark_reads
from im_repo.log.append_batch import _Batch
from im_repo.outbox.pending import Pending
from tests.harness.scenarios import is_append

LAG_S: Final = 30.0
SLOW_COMMIT_S: Final = 0.1
"""As of a slow disk."""


@contextmanager
def ack_before_commit() -> Iterator[None]:
    """An append is answered when its statements ran, before COMMIT."""
    write_closing = SqliteDatabase.write_closing

    async def early(database: SqliteDatabase, unit: Callable[..., Any]) -> Any:
        if not _is_of_messages(unit):
            return await write_closing(database, unit)
        loop = asyncio.get_running_loop()
        ran: asyncio.Future[Any] = loop.create_future()

        def tell_early(connection: Any) -> None:
            result = close(connection, unit(connection))
            loop.call_soon_threadsafe(ran.set_result, result)
            time.sleep(SLOW_COMMIT_S)  # in the writer's thread

        committed = asyncio.ensure_future(database.write(tell_early))
        await asyncio.wait({ran, committed}, return_when=asyncio.FIRST_COMPLETED)
        return ran.result()

    with patch.object(SqliteDatabase, "write_closing", early):
        yield


@contextmanager
def ack_after_the_first_results() -> Iterator[None]:
    """An append of messages on MariaDB is answered when its statements are, and COMMIT comes after that."""
    write_closing = MysqlDatabase.write_closing

    async def early(database: MysqlDatabase, unit: Callable[..., Any]) -> Any:
        if not _is_of_messages(unit):
            return await write_closing(database, unit)
        ran: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def tell_early(connection: Any, _attempt: object) -> None:
            closing, packets = unit(connection), connection.info[SHORTCUT]
            ran.set_result(closing.answer(packets.write(closing.statements)))
            await_(asyncio.sleep(SLOW_COMMIT_S))
            packets.write([Statement("COMMIT")])

        committed = asyncio.ensure_future(database._run(database._append_engine.sync_engine, tell_early))
        await asyncio.wait({ran, committed}, return_when=asyncio.FIRST_COMPLETED)
        return ran.result()

    with patch.object(MysqlDatabase, "write_closing", early):
        yield


def _is_of_messages(unit: Callable[..., Any]) -> bool:
    return is_append(unit) and all(draft.effects is None for draft in unit.keywords["drafts"])  # type: ignore[attr-defined]


@contextmanager
def outbox_row_dropped_before_fan_out() -> Iterator[None]:
    """A row counts as done when it is written."""
    add = Pending.add

    def drop(pending: Pending, outbox_id: int, ranges: Sequence[Any], **now: float) -> None:
        add(pending, outbox_id, ranges, **now)
        for one in ranges:
            pending.confirm(outbox_id, one.conversation_id, from_seq=one.from_seq, to_seq=one.to_seq)

    with patch.object(Pending, "add", drop):
        yield


@contextmanager
def range_confirmed_before_its_effect() -> Iterator[None]:
    """A range is confirmed when it is queued for the gateways, before they have it."""
    send = Post.send

    def confirm(post: Post, parcel: Any) -> bool:
        if parcel.countdown is not None:
            parcel.countdown.done()
            parcel.countdown = None
        return send(post, parcel)

    with patch.object(Post, "send", confirm):
        yield


@contextmanager
def heads_read_before_the_route_is_written() -> Iterator[None]:
    """A connect reads what it answers first, and becomes reachable after that."""
    verify, sync = OpenConnection._verify, Sync.sync
    answers: dict[int, SyncResponse] = {}

    async def read_early(opening: OpenConnection, hello: Hello) -> Any:
        credential = await verify(opening, hello)
        if hello.sync is not None:
            answers[id(hello.sync)] = await opening._sync.sync(credential.claims.user_id, hello.sync)
        return credential

    async def answer_known(syncing: Sync, user_id: int, request: SyncRequest) -> SyncResponse:
        return answers.pop(id(request), None) or await sync(syncing, user_id, request)

    with patch.object(OpenConnection, "_verify", read_early), patch.object(Sync, "sync", answer_known):
        yield


@contextmanager
def routes_read_before_the_commit() -> Iterator[None]:
    """Fan-out uses the routes that there were when the append was asked for."""
    make, append = Post.__init__, RepoStream.append_request
    stale: list[_StaleRoutes] = []

    def make_stale(post: Post, **given: Any) -> None:
        stale.append(_StaleRoutes(given.pop("routes")))
        make(post, routes=stale[-1], **given)  # type: ignore[arg-type]

    def read_early(stream: RepoStream, *args: Any) -> None:
        stale[-1].read()
        append(stream, *args)

    with patch.object(Post, "__init__", make_stale), patch.object(RepoStream, "append_request", read_early):
        yield


class _StaleRoutes:
    """Routes as they were when they were last read."""

    def __init__(self, routes: Any) -> None:
        self._cache = routes._cache
        self._known: dict[int, list[Any]] = {}

    def read(self) -> None:
        self._known = {
            int(key.removeprefix("route:")): list(RouteList.FromString(entry.value).routes)
            for key, entry in self._cache._entries.items()
            if key.startswith("route:")
        }

    async def look_up(self, user_ids: Sequence[int]) -> tuple[dict[int, list[Any]], str]:
        known = {user_id: self._known[user_id] for user_id in user_ids if user_id in self._known}
        return known, await self._cache.epoch()


@contextmanager
def removal_lags_in_small_groups() -> Iterator[None]:
    """Members are looked up once in 30 s."""
    look_up = SmallFanOut._state
    known: dict[int, tuple[float, Any]] = {}

    def lag(fan_out: SmallFanOut, committed: Any) -> Any:
        read_at, state = known.get(committed.conversation_id, (-LAG_S, None))
        if time.monotonic() - read_at < LAG_S:
            return state
        state = look_up(fan_out, committed)
        if state is not None:
            known[committed.conversation_id] = (time.monotonic(), state)
        return state

    with patch.object(SmallFanOut, "_state", lag):
        yield


@contextmanager
def removal_lags_in_large_groups() -> Iterator[None]:
    """A gateway puts out who was removed 30 s after the log said so."""
    apply, change = FanOutDesk._apply_changes, Pushes._change

    def apply_late(desk: FanOutDesk, *args: Any, coming: bool) -> None:
        if coming:
            apply(desk, *args, coming=True)
        else:
            asyncio.get_running_loop().call_later(LAG_S, partial(apply, desk, *args, coming=False))

    def change_late(pushes: Pushes, told: Any) -> None:
        if told.from_seq:
            change(pushes, told)
        else:
            asyncio.get_running_loop().call_later(LAG_S, change, pushes, told)

    with patch.object(FanOutDesk, "_apply_changes", apply_late), patch.object(Pushes, "_change", change_late):
        yield


@contextmanager
def retry_answered_with_slow_mode() -> Iterator[None]:
    """The guards judge a repeated message before anybody looks whether it is stored."""
    again = _Batch._again

    def judge_first(batch: _Batch, draft: Any, first: Any, conversation: Any, now: int) -> Any:
        return batch._refuse(draft, conversation, now) or again(batch, draft, first, conversation, now)

    with patch.object(_Batch, "_again", judge_first):
        yield


@contextmanager
def mark_read_not_clamped() -> Iterator[None]:
    """The read cursor goes where the client says."""

    def counts(_connection: object, entries: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
        return {(conversation_id, seq): seq for conversation_id, seq in entries}

    with patch.object(mark_reads, "clamp", lambda seq, _spans: seq), patch.object(mark_reads, "_read_counts", counts):
        yield


BUGS: Final[Mapping[str, Callable[[], AbstractContextManager[None]]]] = {
    bug.__name__: bug
    for bug in (
        ack_before_commit,
        ack_after_the_first_results,
        outbox_row_dropped_before_fan_out,
        range_confirmed_before_its_effect,
        heads_read_before_the_route_is_written,
        routes_read_before_the_commit,
        removal_lags_in_small_groups,
        removal_lags_in_large_groups,
        retry_answered_with_slow_mode,
        mark_read_not_clamped,
    )
}


if __name__ == "__main__":
    with BUGS[sys.argv.pop(1)]():
        im.main()
