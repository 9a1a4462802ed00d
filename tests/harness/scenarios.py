"""Proofs of single promises on an in-process cluster.

Each holds or spoils one step, lets something happen meanwhile, and gives
the violations that its checkers find. None is the promise.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from im_bench.accounts import AccountApi
from im_bench.adapters.im.connection import AnsweredError
from im_bench.message_id import MessageIds
from im_infra.rpc.server_stream import ServerStream
from im_infra.sql.sqlite import SqliteDatabase
from im_infra.sql.statements import close
from im_logic.sessions.connections import Connections
from im_logic.sync.sync import Sync
from im_proto.v1.conversation_pb2 import GetConversationRequest
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import Content, SendRequest, Text
from im_proto.v1.read_pb2 import MarkReadRequest
from im_repo.log.append_batch import append_batch
from im_sdk import Client
from tests.harness import checkers
from tests.harness.device import Device
from tests.harness.history import History
from tests.harness.in_process import InProcess, in_process
from tests.harness.light import open_light
from tests.harness.stored import from_database, windows_from_database
from tests.harness.workload import FOLLOW_ALL, until

DELIVERY_S: Final = 4.0
"""An online device that has not shown an acked message by then counts as having lost it: the sweeper of these runs is
quick, and what it does not bring back nobody brings for minutes."""
PASSWORD: Final = "a-long-password"


class Stage:
    """A cluster, a history, and the people in it."""

    def __init__(self, cluster: InProcess, history: History) -> None:
        self.cluster = cluster
        self.history = history
        self.devices: dict[str, Device] = {}

    async def enter(self, name: str) -> Device:
        """A new account with one device, connected."""
        client = Client(self.cluster.url, settings=FOLLOW_ALL)
        await client.register(name, PASSWORD)
        return await self.connect(name, client)

    async def connect(self, name: str, client: Client) -> Device:
        """A device of an account that is logged in."""
        device = self.devices[name] = Device(name, self.history)
        device.run(client)
        await client.connect()
        return device

    async def send(self, device: Device, conversation_id: int) -> None:
        """One message, acked when this returns."""
        device.offer(conversation_id)
        await until(lambda: device.idle, DELIVERY_S)

    def not_shown(self, device: Device, conversation_id: int, *, above: int = 0) -> list[str]:
        """What the device misses of a log, above a seq."""
        rows = from_database(self.cluster.database)[conversation_id]
        logs = {conversation_id: [row for row in rows if row.seq > above]}
        return checkers.not_shown(self.history.happenings, logs, {device.name: [conversation_id]})

    async def violations(self, device: Device, conversation_id: int, *, above: int = 0) -> list[str]:
        """What the device misses in the end, and whatever else went wrong."""
        with suppress(TimeoutError):
            await until(lambda: not self.not_shown(device, conversation_id, above=above), DELIVERY_S)
        happened = self.history.happenings
        logs = from_database(self.cluster.database)
        return [
            *self.not_shown(device, conversation_id, above=above),
            *checkers.lost(happened, logs),
            *checkers.doubled(logs),
            *checkers.shown_twice(happened),
            *checkers.shown_out_of_order(happened),
        ]


@asynccontextmanager
async def stage(folder: Path, settings: Mapping[str, Any] | None = None) -> AsyncIterator[Stage]:
    """Run a cluster for a scenario; devices close before it does."""
    with History(folder / "history.jsonl") as history, patch("im_sdk._link.reconnect_delay", _at_once):
        async with in_process(folder / "data", settings) as cluster:
            made = Stage(cluster, history)
            try:
                yield made
            finally:
                for device in made.devices.values():
                    if device.client is not None:
                        await device.close()


def _at_once(*_: object, **__: object) -> float:
    return 0.02


# no push can be queued during fan-out


async def lost_fan_out(folder: Path) -> list[str]:
    """The queue to the gateway is full while messages are sent: whoever is online has them soon after, and does nothing."""
    async with stage(folder) as on:
        ann, ben = await on.enter("ann"), await on.enter("ben")
        chat = (await ann.online.open_direct(ben.online.user.user_id)).conversation_id
        await on.send(ann, chat)
        with patch.object(ServerStream, "push", lambda *_: False):
            for _ in range(3):
                await on.send(ann, chat)
        return await on.violations(ben, chat)


# a message in every step of a connect


async def message_during_hello(folder: Path) -> list[str]:
    """A message is sent while somebody connects, at each step of it, and nothing follows: it is shown all the same."""
    async with stage(folder) as on:
        ann, ben = await on.enter("ann"), await on.enter("ben")
        chat = (await ann.online.open_direct(ben.online.user.user_id)).conversation_id
        await on.send(ann, chat)
        found: list[str] = []
        for owner, step, after in ((Connections, "change", False), (Sync, "sync", False), (Sync, "sync", True)):
            with held(owner, step, after=after) as (entered, release):
                await ben.cut()
                async with asyncio.timeout(DELIVERY_S):
                    await entered.wait()
                await on.send(ann, chat)
                release.set()
            found += await on.violations(ben, chat)
        return found


@contextmanager
def held(owner: type, name: str, *, after: bool) -> Iterator[tuple[asyncio.Event, asyncio.Event]]:
    """Hold the first call of a coroutine method, before or after its work, until released.

    What else calls it meanwhile passes, such as the route of another device.
    """
    entered, release = asyncio.Event(), asyncio.Event()
    method = getattr(owner, name)

    async def hold(*args: Any, **kwargs: Any) -> Any:
        first = not entered.is_set()
        if after:
            result = await method(*args, **kwargs)
        if first:
            entered.set()
            await release.wait()
        return result if after else await method(*args, **kwargs)

    with patch.object(owner, name, hold):
        yield entered, release
        release.set()


# a connect during a commit


async def connect_during_commit(folder: Path) -> list[str]:
    """Somebody connects while a message is being committed: the heads cannot tell of it, so it has to be pushed."""
    async with stage(folder) as on:
        ann, ben = await on.enter("ann"), await on.enter("ben")
        chat = (await ann.online.open_direct(ben.online.user.user_id)).conversation_id
        await on.send(ann, chat)
        tokens = ben.online.tokens
        await ben.close()
        with held_commit() as (entered, release):
            ann.offer(chat)
            await asyncio.to_thread(entered.wait, DELIVERY_S)
            again = Client(on.cluster.url, settings=FOLLOW_ALL)
            await again.use(tokens)
            ben = await on.connect("ben", again)
            release.set()
        await until(lambda: ann.idle, DELIVERY_S)
        return await on.violations(ben, chat, above=1)


@contextmanager
def held_commit() -> Iterator[tuple[threading.Event, threading.Event]]:
    """Hold the first transaction of the log when all is written and nothing committed."""
    entered, release = threading.Event(), threading.Event()
    write_closing = SqliteDatabase.write_closing

    async def hold(database: SqliteDatabase, unit: Callable[..., Any]) -> Any:
        if not is_append(unit) or entered.is_set():
            return await write_closing(database, unit)

        def slow(connection: Any) -> Any:
            result = close(connection, unit(connection))
            entered.set()
            release.wait(DELIVERY_S)
            return result

        return await database.write(slow)

    with patch.object(SqliteDatabase, "write_closing", hold):
        yield entered, release
        release.set()


def is_append(unit: object) -> bool:
    """Whether a unit of work appends to the log."""
    return isinstance(unit, partial) and unit.func is append_batch


# a removal


async def removal_from_a_small_group(folder: Path) -> list[str]:
    """Who was removed gets nothing that came after."""
    return await _removal(folder, {})


async def removal_from_a_large_group(folder: Path) -> list[str]:
    """The same where gateways know their own members."""
    return await _removal(folder, {"repo.fanout.large_above": 2, "repo.fanout.small_below": 1})


async def _removal(folder: Path, settings: Mapping[str, Any]) -> list[str]:
    async with stage(folder, settings) as on:
        ann, ben, cat = [await on.enter(name) for name in ("ann", "ben", "cat")]
        others = [device.online.user.user_id for device in (ben, cat)]
        group = (await ann.online.create_group("Group", others)).conversation_id
        for device in (ben, cat):
            await until(lambda device=device: device.online.conversation(group) is not None, DELIVERY_S)  # type: ignore[misc]
            device.online.view(group)
        await on.send(ann, group)
        await until(lambda: not on.not_shown(ben, group), DELIVERY_S)
        await ann.online.remove_member(group, ben.online.user.user_id)
        for _ in range(3):
            await on.send(ann, group)
        found = await on.violations(cat, group)  # what is pushed to cat has been pushed to whoever gets it
        await on.send(ben, (await ben.online.open_direct(ben.online.user.user_id)).conversation_id)  # ben is served
        windows = windows_from_database(on.cluster.database)
        return [*found, *checkers.leaked(on.history.happenings, windows)]


# a retry under slow mode


async def retry_under_slow_mode(folder: Path) -> list[str]:
    """A guest's message is stored, its ack is lost, and the retry comes within slow mode: the first ack is answered."""
    async with stage(folder) as on:
        guest = (await AccountApi(on.cluster.url).make("guest", 1, progress=lambda _made: None))[0]
        told: dict[str, Any] = {"device": "guest", "user_id": guest.user_id, "key": "guest 1", "number": 1}
        request = SendRequest(client_message_id=MessageIds().next(), content=Content(text=Text(text="guest 1")))
        for attempt in (1, 2):
            connection = await open_light(
                on.cluster.websocket_url, access_token=guest.access_token, device_id=guest.device_id
            )
            request.conversation_id = told["conversation_id"] = connection.hello.world_conversation_id
            request.attempt = attempt
            on.history.add("send_invoke", **told)
            try:
                answer = await connection.call(ClientFrame(send=request))
            except AnsweredError:
                on.history.add("send_fail", **told)
            else:
                on.history.add("send_ok", **told, seq=answer.send.seq)
            await connection.close()
        happened, logs = on.history.happenings, from_database(on.cluster.database)
        return [
            *checkers.refused_and_stored(happened, logs),
            *checkers.lost(happened, logs),
            *checkers.doubled(logs),
        ]


# a read beyond the log


async def read_beyond_the_window(folder: Path) -> list[str]:
    """Somebody marks read far beyond what is there: what comes later is unread all the same."""
    async with stage(folder) as on:
        ann, ben = await on.enter("ann"), await on.enter("ben")
        chat = (await ann.online.open_direct(ben.online.user.user_id)).conversation_id
        await on.send(ann, chat)
        tokens = ben.online.tokens
        connection = await open_light(
            on.cluster.websocket_url, access_token=tokens.access_token, device_id=tokens.device_id
        )
        with suppress(AnsweredError):
            await connection.call(ClientFrame(mark_read=MarkReadRequest(conversation_id=chat, seq=10_000)))
        for _ in range(3):
            await on.send(ann, chat)
        ask = ClientFrame(get_conversation=GetConversationRequest(conversation_id=chat))
        head = (await connection.call(ask)).get_conversation.head
        await connection.close()
        rows = from_database(on.cluster.database)[chat]
        return checkers.miscounted({chat: rows}, {chat: (1, head.unread)}, reader_id=ben.online.user.user_id)
