"""A session that runs: its futures, its events, its store. `Client` is the face of it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from google.protobuf.message import Message as Wire

from im_proto.v1 import message_pb2
from im_sdk._commands import Answered, Command, DraftRenewed, SendAcknowledged, SendRefused
from im_sdk._credentials import AccessToken
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ClosedError, InternalError
from im_sdk._event_queue import EventQueue
from im_sdk._events import ConnectionState, Event, SendFailed
from im_sdk._models import SentMessage
from im_sdk._outbox import Draft
from im_sdk._runner import Runner
from im_sdk._session import Session
from im_sdk._settings import SessionSettings
from im_sdk._snapshot import Snapshot
from im_sdk._store.local_store import LocalStore
from im_sdk._store.progress import Progress, collect
from im_sdk._transport import Connect

_STOP_TIMEOUT_S: Final = 5.0


class Engine:
    """One account's session on the running loop.

    Args:
        settings: the session's constants.
        access: the first access token.
        renewable: there is a refresh token.
        connect: opens sockets.
        refresh: gets a new access token.
        queue: takes the events.
        store: keeps what is to survive; None: nothing does.
        snapshot: what the store had.
    """

    def __init__(
        self,
        settings: SessionSettings,
        *,
        access: AccessToken,
        renewable: bool,
        connect: Connect,
        refresh: Callable[[], Awaitable[AccessToken]],
        queue: EventQueue,
        store: LocalStore | None,
        snapshot: Snapshot | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.session = Session(
            settings,
            access=access,
            renewable=renewable,
            source=random.SystemRandom(),
            now=self._loop.time(),
            wall_ms=time.time_ns() // 1_000_000,
            snapshot=snapshot,
            park_renewed=store is not None,
        )
        self._queue = queue
        self._store = store
        self._runner = Runner(
            self.session,
            connect=connect,
            refresh=refresh,
            on_commands=self._take_commands,
            on_progress=self._take_progress,
        )
        self._commands: list[Command] = []
        self._sends: dict[str, asyncio.Future[SentMessage]] = {}
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._state_waiters: set[asyncio.Future[None]] = set()
        self._unwritten: list[tuple[Progress, list[Event]]] = []
        """Steps on their way to the store. Its events count as waiting: the queue's limit holds here as well."""
        self._renewed: list[DraftRenewed] = []
        self._unwritten_wake = asyncio.Event()
        self._main: asyncio.Task[None] | None = None

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self.session.state

    def now(self) -> float:
        """The session's time, seconds."""
        return self._loop.time()

    def touch(self) -> None:
        """Do what the session wants after one of its methods was called."""
        self._runner.pump()

    async def start(self, *, take_over: bool) -> None:
        """Connect, and wait until the first sync is in.

        Safe to cancel: it goes on connecting.

        Raises:
            ClosedError: the server refuses for good, or the engine was closed.
        """
        if self._main is None:
            self._main = asyncio.create_task(self._run(), name="im-sdk engine")  # noqa: TID251 - awaited in `stop`
            await asyncio.sleep(0)
        self._queue.begin()
        self.session.start(self.now(), take_over=take_over)
        self.touch()
        while self.state is not ConnectionState.ONLINE:
            if self.state is ConnectionState.CLOSED:
                error = self.session.error
                raise error if isinstance(error, ClosedError) else ClosedError.by_owner()
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._state_waiters.add(waiter)
            try:
                await waiter
            finally:
                self._state_waiters.discard(waiter)

    async def stop(self) -> None:
        """Leave: what waits fails with ClosedError; what the store keeps stays kept."""
        self.session.close(self.now())
        self.touch()
        self._runner.stop()
        self._unwritten_wake.set()
        if self._main is not None:
            await asyncio.wait({self._main}, timeout=_STOP_TIMEOUT_S)
            self._main.cancel()
            await asyncio.wait({self._main})
        self._queue.end()

    async def ask(self, operation: str, wire: Wire, *, timeout_s: float, traceparent: str) -> Any:  # noqa: ANN401 - each operation has its own answer
        """Ask an operation of ClientFrame, over reconnects.

        Cancelling gives up the answer; the server may do it all the same.

        Raises:
            ImError: the server's, or DEADLINE_EXCEEDED, or ClosedError.
        """
        self._check_open()
        ticket = self.session.request(operation, wire, self.now(), timeout_s=timeout_s, traceparent=traceparent)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._answers[ticket] = future
        self.touch()
        try:
            return await future
        finally:
            if self._answers.pop(ticket, None) is not None:
                self.session.cancel(ticket)

    async def send(
        self, conversation_id: int, content: message_pb2.Content, *, ref_seq: int, seen_seq: int, traceparent: str
    ) -> SentMessage:
        """Send a message, once; see `Client.send`."""
        self._check_open()
        client_message_id = self.session.new_id(self.now())
        draft = Draft(
            conversation_id,
            client_message_id,
            content,
            ref_seq=ref_seq,
            seen_seq=seen_seq,
            traceparent=traceparent,
        )
        if self._store is not None:
            await self._keep(self._store, draft)
        future: asyncio.Future[SentMessage] = self._loop.create_future()
        try:
            self.session.send(draft, self.now())
        except BaseException:
            if self._store is not None:
                self._store.drop_draft(client_message_id)
            raise
        self._sends[client_message_id] = future
        self.touch()
        try:
            return await future
        except asyncio.CancelledError:
            self._withdraw(draft)
            raise
        finally:
            self._sends.pop(draft.client_message_id, None)

    # within

    async def _keep(self, store: LocalStore, draft: Draft) -> None:
        try:
            await store.keep_draft(draft)
            self._check_open()
        except (asyncio.CancelledError, ClosedError):
            store.drop_draft(draft.client_message_id)
            raise

    def _withdraw(self, draft: Draft) -> None:
        if self.session.withdraw(draft.client_message_id) and self._store is not None:
            self._store.drop_draft(draft.client_message_id)

    def _check_open(self) -> None:
        if self.state is ConnectionState.CLOSED or self._main is None or self._main.done():
            error = self.session.error
            raise error if isinstance(error, ClosedError) else ClosedError.by_owner()

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = None
                if self._store is not None:
                    writer = tasks.create_task(self._write(self._store), name="im-sdk store writer")
                await self._runner.run()
                if writer is not None:
                    self._unwritten_wake.set()
        except Exception as error:  # noqa: BLE001 - a defect: everybody who waits is told, then it ends
            self._break(error)

    def _break(self, error: Exception) -> None:
        """A defect, of ours or of the store: fail what waits; `events()` raises it."""
        told = InternalError(ErrorNumber.INTERNAL, ErrorNumber.INTERNAL.name, f"the client broke: {error!r}")
        told.__cause__ = error
        self.session.close(self.now())
        self.session.take_commands()
        for future in [*self._sends.values(), *self._answers.values(), *self._state_waiters]:
            if not future.done():
                future.set_exception(told)
        self._queue.end(told)

    def _take_commands(self, commands: list[Command]) -> None:
        if self._store is not None:
            self._commands += commands
        for command in commands:
            match command:
                case SendAcknowledged(sent):
                    self._settle(sent.client_message_id, sent, None)
                case Answered():
                    self._answer(command)
                case SendRefused(conversation_id, client_message_id, error):
                    if not self._settle(client_message_id, None, error) and not isinstance(error, ClosedError):
                        self._queue.put([SendFailed(conversation_id, client_message_id, error)])
                case DraftRenewed():
                    self._renew(command)
                case _:
                    pass

    def _answer(self, answered: Answered) -> None:
        future = self._answers.pop(answered.ticket, None)
        if future is None or future.done():
            return
        if answered.error is None:
            future.set_result(answered.answer)
        else:
            future.set_exception(answered.error)

    def _renew(self, renewed: DraftRenewed) -> None:
        if (waiting := self._sends.pop(renewed.old_client_message_id, None)) is not None:
            self._sends[renewed.client_message_id] = waiting
        if self._store is not None:
            self._renewed.append(renewed)
            self._unwritten_wake.set()

    def _settle(self, client_message_id: str, sent: SentMessage | None, error: Exception | None) -> bool:
        future = self._sends.pop(client_message_id, None)
        if future is None or future.done():
            return False
        if sent is not None:
            future.set_result(sent)
        elif error is not None:
            future.set_exception(error)
        return True

    def _take_progress(self) -> None:
        events = self.session.take_events()
        if self._store is None:
            if events:
                self._queue.put(events)
            self.session.inbox.dirty.clear()
        else:
            progress = collect(self.session.inbox, events, self._commands)
            self._commands.clear()
            if progress or events:
                self._unwritten.append((progress, events))
                self._unwritten_wake.set()
        state = self.state
        if self._state_waiters and state in {ConnectionState.ONLINE, ConnectionState.CLOSED}:
            for waiter in self._state_waiters:
                if not waiter.done():
                    waiter.set_result(None)
        if state is ConnectionState.CLOSED and self._store is None:
            self._queue.end()

    async def _write(self, store: LocalStore) -> None:
        """Write steps, many at once where they gather, and show their events only then."""
        while True:
            await self._unwritten_wake.wait()
            self._unwritten_wake.clear()
            renewed, self._renewed = self._renewed, []
            for draft in renewed:
                await store.rename_draft(draft.old_client_message_id, draft.client_message_id)
                self.session.draft_kept(draft.conversation_id, self.now())
                self.touch()
            while self._unwritten:
                steps, self._unwritten = self._unwritten, []
                await store.apply([progress for progress, _ in steps if progress])
                for _, events in steps:
                    self._queue.put(events)
            if self.state is ConnectionState.CLOSED:
                self._queue.end()
                if self._runner.stopped:
                    return
