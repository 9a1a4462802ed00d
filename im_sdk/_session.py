"""The session machine: what a client of the protocol does, without sockets, clocks or tasks.

What happens goes in (`socket_opened`, `received`, `tick`, `send` …), each with the monotonic time in seconds; what is
to be done comes out: `take_commands()` for the driver, `take_events()` for the application, `take_message()` for the
socket, and `deadline()` says when `tick` is due. After each call the driver empties all of them.
"""

import random
from typing import Final

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Wire

from im_proto.v1 import frame_pb2, read_pb2, session_pb2
from im_sdk import _convert
from im_sdk._backoff import around
from im_sdk._commands import Answered, Command
from im_sdk._credentials import AccessToken, Credentials
from im_sdk._errors import ClosedError, ImError, OutboxFullError, UnreachableError
from im_sdk._events import ConnectionState, Event
from im_sdk._ids import uuid7
from im_sdk._inbox import Inbox
from im_sdk._incoming import Incoming
from im_sdk._link import Link, Phase
from im_sdk._models import User
from im_sdk._outbox import Draft, Outbox
from im_sdk._requests import OnDone, Request, Requests
from im_sdk._sending import Sending
from im_sdk._server_time import ServerTime
from im_sdk._settings import SessionSettings
from im_sdk._snapshot import Snapshot, restore, take_snapshot
from im_sdk._writer import Writer

_NEVER: Final = float("inf")
_DEFAULT_FRAME_BYTES: Final = 64 * 1024


class Session:
    """One account's session.

    Args:
        settings: the constants.
        access: the access token, if there is one already.
        renewable: there is a refresh token, so that `RefreshTokens` can be done.
        source: all randomness; `random.SystemRandom()` outside of tests.
        now: monotonic seconds.
        wall_ms: the local wall clock at `now`, milliseconds since the epoch.
        snapshot: what an earlier session of this account left.
        park_renewed: a draft with a new id waits for `draft_kept`; for those who keep drafts.
    """

    def __init__(
        self,
        settings: SessionSettings,
        *,
        access: AccessToken | None,
        renewable: bool = False,
        source: random.Random,
        now: float,
        wall_ms: int,
        snapshot: Snapshot | None = None,
        park_renewed: bool = False,
    ) -> None:
        snapshot = snapshot or Snapshot()
        self.settings = settings
        self.user: User | None = None
        self.world_conversation_id = 0
        self.server_time = ServerTime(now=now, wall_ms=wall_ms)
        self._random = source
        self._commands: list[Command] = []
        self._events: list[Event] = []
        self._light_sync_deadline = _NEVER
        self._last_ticket = 0
        self._tickets: dict[int, Request] = {}
        self._writer = Writer(max_bytes=_DEFAULT_FRAME_BYTES)
        self._requests = Requests(answer_timeout_s=settings.answer_timeout_s, source=source)
        self.outbox = Outbox(pipeline=settings.pipeline, answer_timeout_s=settings.answer_timeout_s, source=source)
        self.inbox = Inbox(settings, ask=self._ask, events=self._events, point=snapshot.point, source=source)
        self._link = Link(
            settings,
            credentials=Credentials(access, renewable=renewable),
            server_time=self.server_time,
            source=source,
            commands=self._commands,
            events=self._events,
            on_lost=self._connection_lost,
            on_closed=self._closed,
            on_token=self._new_token,
        )
        self._sending = Sending(
            self.outbox,
            inbox=self.inbox,
            requests=self._requests,
            writer=self._writer,
            commands=self._commands,
            new_id=self.new_id,
            park_renewed=park_renewed,
        )
        restore(snapshot, self.inbox, self.outbox)
        self._incoming = Incoming(
            link=self._link,
            inbox=self.inbox,
            requests=self._requests,
            sending=self._sending,
            events=self._events,
            early_limit=settings.held_pushes,
        )

    # what comes out

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self._link.state

    @property
    def error(self) -> ImError | None:
        """Why the last connection failed or ended."""
        return self._link.error

    def take_events(self) -> list[Event]:
        """What the application is to be told, in order."""
        if not self._events:
            return []
        events = self._events[:]
        self._events.clear()
        return events

    def take_commands(self) -> list[Command]:
        """What the driver is to do, in order."""
        if not self._commands:
            return []
        commands = self._commands[:]
        self._commands.clear()
        return commands

    def snapshot(self) -> Snapshot:
        """What this session knows of the logs, for another session of the account; without what is in the outbox."""
        return take_snapshot(self.inbox)

    def take_message(self) -> bytes | None:
        """The next binary WebSocket message; call until None."""
        return self._writer.take()

    def deadline(self) -> float:
        """When `tick` is due, monotonic seconds."""
        link = self._link.deadline()
        if not self._link.online:
            return min(link, self._requests.deadline(), self.inbox.sync.retry_at)
        return min(
            link,
            self._requests.deadline(),
            self.outbox.deadline(),
            self.inbox.puller.deadline(),
            self.inbox.received.deadline(),
            self.inbox.sync.retry_at,
            self._light_sync_deadline,
        )

    # the connection

    def start(self, now: float, *, take_over: bool = False) -> None:
        """Connect and stay connected; after a close again.

        Args:
            now: monotonic seconds.
            take_over: a person asked to return on a device that another one displaced.
        """
        self._link.start(now, take_over=take_over)

    def close(self, now: float) -> None:
        """Leave for good: what is open fails with ClosedError."""
        self._link.close(now)

    def socket_opened(self, now: float) -> None:
        """OpenSocket succeeded."""
        if self._link.phase is not Phase.OPENING:
            return
        self._requests.forget_own()
        self.inbox.connection_lost()  # whoever asked that waits for no answer
        hello = session_pb2.HelloRequest()
        hello.sync.CopyFrom(self.inbox.sync.begin())
        hello = self._link.hello(now, hello)
        request = Request("hello", hello, self._on_hello, deadline=_NEVER, repeats=False)
        self._requests.add(request)
        self._write_requests(now, own_only=True)

    def socket_failed(self, now: float, error: ImError) -> None:
        """OpenSocket failed; a retryable error is tried again, after its `retry_after_ms` at the earliest."""
        self._link.socket_failed(now, error)

    def socket_closed(self, now: float, code: int, reason: str = "") -> None:
        """The socket ended without our asking; 1006 where there was no close frame."""
        self._link.socket_closed(now, code, reason)

    def tokens_refreshed(self, access: AccessToken, now: float) -> None:
        """RefreshTokens succeeded, or a login gave a new token."""
        self._link.credentials.renewable = True
        self._link.tokens_refreshed(access, now)
        self._flush(now)

    def refresh_failed(self, error: ImError, now: float) -> None:
        """RefreshTokens failed: for now, if the error is retryable."""
        self._link.refresh_failed(error, now)

    def received(self, data: bytes, now: float) -> None:
        """A binary WebSocket message came."""
        if not self._link.connected:
            return
        self._link.heard_at = now
        try:
            frames = frame_pb2.ServerFrames.FromString(data).frames
        except DecodeError:
            self._link.break_off(now, UnreachableError.because("the server sent what is no frame"))
            return
        for frame in frames:
            self._incoming.take(frame, now)
        self._flush(now)

    def tick(self, now: float) -> None:
        """Do what is due; calling it early is harmless."""
        self._link.tick(now)
        self._requests.expire(now)
        if self._link.online:
            self.outbox.expire(now)
        if now >= min(self._light_sync_deadline, self.inbox.sync.retry_at):
            self._plan_light_sync(now)
            self.inbox.sync.light(now)
        self._flush(now)

    # wishes

    def new_id(self, now: float) -> str:
        """A fresh `client_message_id` or `operation_id`."""
        return uuid7(self.server_time.at(now), self._random)

    def send(self, draft: Draft, now: float) -> None:
        """Put a message behind those of its conversation; SendAcknowledged or SendRefused settles it.

        Raises:
            OutboxFullError: as many as the settings allow wait already.
        """
        if len(self.outbox) >= self.settings.outbox_limit:
            raise OutboxFullError.at(self.settings.outbox_limit)
        self.outbox.add(draft)
        self._flush(now)

    def withdraw(self, client_message_id: str) -> bool:
        """Take a message back that was never written to a socket; gives whether it was so."""
        return self.outbox.withdraw(client_message_id)

    def draft_kept(self, conversation_id: int, now: float) -> None:
        """The new id of DraftRenewed is on disk."""
        self.outbox.release(conversation_id)
        self._flush(now)

    def request(self, operation: str, wire: Wire, now: float, *, timeout_s: float, traceparent: str = "") -> int:
        """Ask an operation of ClientFrame, over reconnects; Answered with the ticket given here settles it."""
        self._last_ticket = ticket = self._last_ticket + 1

        def done(answer: Wire | None, error: ImError | None, _now: float) -> None:
            del self._tickets[ticket]
            self._commands.append(Answered(ticket, answer, error))

        request = Request(operation, wire, done, deadline=now + timeout_s, repeats=True, traceparent=traceparent)
        self._tickets[ticket] = request
        self._requests.add(request)
        self._flush(now)
        return ticket

    def cancel(self, ticket: int) -> None:
        """Nobody waits for this answer any more; the server may do it all the same."""
        request = self._tickets.pop(ticket, None)
        if request is not None:
            self._requests.withdraw(request)

    def tell(self, operation: str, wire: Wire) -> None:
        """Say something that needs no answer and is not repeated (typing); nothing happens without a connection."""
        if self._link.online:
            self._writer.put(operation, wire, 0)

    def view(self, conversation_ids: list[int], now: float) -> None:
        """What is on screen: these are read when they moved, and large ones get their messages pushed."""
        if self._link.online:
            self.inbox.view(conversation_ids, now)
            self._flush(now)
        else:
            self.inbox.screen.conversation_ids = tuple(conversation_ids)

    def pause(self) -> None:
        """The application does not keep up: no message events until `go_on`; nothing is lost by it."""
        self.inbox.pause()

    def go_on(self, now: float) -> None:
        """The application keeps up again: what was passed over is read."""
        self.inbox.go_on(synced=self._link.online)
        self._flush(now)

    # the connection's own requests

    def _on_hello(self, answer: session_pb2.HelloResponse | None, error: ImError | None, now: float) -> None:
        if answer is None:
            assert error is not None
            if self._link.phase is Phase.GREETING:
                self._link.hello_refused(error, now)
            return
        self.user = _convert.user(answer.user)
        self.inbox.delivery.me = answer.user.user_id
        self.world_conversation_id = answer.world_conversation_id
        if answer.limits.max_frame_bytes > 0:
            self._writer.max_bytes = answer.limits.max_frame_bytes
        self._link.greeted(answer, now)
        if answer.HasField("sync"):
            self.inbox.sync.take_page(answer.sync, now)
        else:
            self.inbox.sync.connection_lost()
            self.inbox.sync.light(now)
        self._go_online(now)

    def _go_online(self, now: float) -> None:
        """Once the first sync is in: apply what was held back meanwhile."""
        if self._link.phase is not Phase.SYNCING or not self.inbox.sync.done:
            return
        self._link.synced()
        self._plan_light_sync(now)
        if self.inbox.screen.conversation_ids:
            self.inbox.view(self.inbox.screen.conversation_ids, now)
        self._incoming.take_early(now)

    # within

    def _ask(self, operation: str, wire: Wire, on_done: OnDone, now: float) -> None:
        deadline = now + self.settings.answer_timeout_s
        self._requests.add(Request(operation, wire, on_done, deadline=deadline, repeats=False))

    def _flush(self, now: float) -> None:
        """Write all that may be written now."""
        link = self._link
        if link.phase is Phase.SYNCING:
            self._go_online(now)
        if link.phase is Phase.SYNCING:
            self._write_requests(now, own_only=True)
            return
        if not link.online:
            return
        inbox = self.inbox
        if not inbox.puller.resting:
            inbox.puller.run(now)
        self._sending.write(now)
        cursors = inbox.received.take(now, along=bool(self._writer))
        if cursors:
            acknowledgement = read_pb2.AckReceivedRequest()
            for conversation_id, seq in cursors:
                acknowledgement.cursors.add(conversation_id=conversation_id, seq=seq)
            self._writer.put("ack_received", acknowledgement, 0)
        if link.take_ping(now):
            self._ask("ping", session_pb2.PingRequest(), self._on_pong, now)
        self._write_requests(now)

    def _write_requests(self, now: float, *, own_only: bool = False) -> None:
        for request in self._requests.take(now, own_only=own_only):
            self._writer.put(request.operation, request.wire, request.request_id, traceparent=request.traceparent)

    def _on_pong(self, answer: session_pb2.PingResponse | None, _error: ImError | None, now: float) -> None:
        if answer is not None:
            self.server_time.observe(answer.server_time, now)

    def _new_token(self, token: str, now: float) -> None:
        self._ask("refresh", session_pb2.RefreshRequest(access_token=token), lambda *_: None, now)

    def _plan_light_sync(self, now: float) -> None:
        self._light_sync_deadline = now + around(self.settings.light_sync_interval_s, self._random)

    def _connection_lost(self, now: float) -> None:
        self._writer.clear()
        self._incoming.connection_lost()
        self._light_sync_deadline = _NEVER
        self._requests.connection_lost(now, UnreachableError.because("the connection was lost"))
        self.inbox.connection_lost()
        self._sending.connection_lost()

    def _closed(self, error: ClosedError, now: float) -> None:
        self._sending.give_up(error)
        self._requests.fail_all(error, now)
