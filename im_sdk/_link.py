"""The life of the connection: opening, greeting, staying alive, ending, and trying again.

It decides when there is a connection and with which credential; what goes over it is others' business.
"""

import random
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from im_proto.v1 import session_pb2
from im_sdk._backoff import around, reconnect_delay
from im_sdk._commands import CloseSocket, Command, OpenSocket, RefreshTokens
from im_sdk._credentials import AccessToken, Credentials, Way
from im_sdk._error_table import CloseCode, ErrorNumber
from im_sdk._errors import ClosedError, ImError, UnreachableError, from_table
from im_sdk._events import ConnectionState, ConnectionStateChanged, Event, Kicked
from im_sdk._server_time import ServerTime
from im_sdk._settings import SessionSettings
from im_sdk._verdict import Verdict, after_close, after_refused_hello, comes_back, meaning

_NEVER: Final = float("inf")


class Phase(Enum):
    """Where the link is, finer than what applications are told."""

    OFFLINE = auto()
    WAITING = auto()
    RENEWING = auto()
    """A new access token is needed before the next connection."""
    OPENING = auto()
    GREETING = auto()
    SYNCING = auto()
    ONLINE = auto()
    CLOSED = auto()


_STATES: Final = {
    Phase.OFFLINE: ConnectionState.OFFLINE,
    Phase.WAITING: ConnectionState.WAITING,
    Phase.RENEWING: ConnectionState.CONNECTING,
    Phase.OPENING: ConnectionState.CONNECTING,
    Phase.GREETING: ConnectionState.CONNECTING,
    Phase.SYNCING: ConnectionState.SYNCING,
    Phase.ONLINE: ConnectionState.ONLINE,
    Phase.CLOSED: ConnectionState.CLOSED,
}
_CONNECTED: Final = (Phase.GREETING, Phase.SYNCING, Phase.ONLINE)


class Link:
    """One connection after the other.

    Args:
        settings: the session's constants.
        credentials: what opens a connection.
        server_time: the server's clock.
        source: the jitter's randomness.
        commands: where commands are put.
        events: where events are put.
        on_lost: a connection ended: (now).
        on_closed: there will be no other: (error, now).
        on_token: a live connection is to be given the new access token: (token, now).
    """

    def __init__(
        self,
        settings: SessionSettings,
        *,
        credentials: Credentials,
        server_time: ServerTime,
        source: random.Random,
        commands: list[Command],
        events: list[Event],
        on_lost: Callable[[float], None],
        on_closed: Callable[[ClosedError, float], None],
        on_token: Callable[[str, float], None],
    ) -> None:
        self.phase = Phase.OFFLINE
        self.credentials = credentials
        self.connected = False
        """A socket is open and ours."""
        self.online = False
        """Greeted and synced."""
        self.heard_at = 0.0
        """When something came last; set by the session, for each message."""
        self.error: ImError | None = None
        self.ping_deadline = _NEVER
        self._settings = settings
        self._server_time = server_time
        self._random = source
        self._commands = commands
        self._events = events
        self._on_lost = on_lost
        self._on_closed = on_closed
        self._on_token = on_token
        self._failures = 0
        self._was_healthy = False
        self._away_since = 0.0
        self._resumed = False
        self._renewed = False
        self._renewing = False
        self._take_over = False
        self._ping_interval_s = settings.ping_interval_s
        self._step_deadline = _NEVER
        self._silence_deadline = _NEVER
        self._leave_deadline = _NEVER
        self._renew_deadline = _NEVER

    @property
    def state(self) -> ConnectionState:
        """What applications are told."""
        return _STATES[self.phase]

    # wishes

    def start(self, now: float, *, take_over: bool) -> None:
        """Connect, and stay connected."""
        if self.phase not in {Phase.OFFLINE, Phase.CLOSED, Phase.WAITING}:
            return
        self._take_over = take_over
        self._failures = 0
        self._away_since = now
        self._renewed = False
        if take_over:
            self.credentials.take_resume()  # a person's act goes through the kick policy
        self._connect(now)

    def close(self, now: float) -> None:
        """Leave for good."""
        if self.phase is not Phase.CLOSED:
            self._end(ClosedError.by_owner(), now)

    # what the driver reports

    def hello(self, now: float, sync: session_pb2.HelloRequest) -> session_pb2.HelloRequest:
        """The socket is open: complete the first frame, which carries the sync, with a credential."""
        self._to(Phase.GREETING)
        self._step_deadline = now + self._settings.hello_timeout_s
        self.heard_at = now
        self._silence_deadline = now + self._settings.silence_limit_s
        hello = sync
        hello.client_version = self._settings.client_version
        hello.instance_id = self._settings.instance_id
        hello.take_over = self._take_over
        token = self.credentials.take_resume()
        self._resumed = bool(token)
        if token:
            hello.resume_token = token
        else:
            assert self.credentials.access is not None
            hello.access_token = self.credentials.access.token
            hello.device_id = self._settings.device_id
        return hello

    def socket_failed(self, now: float, error: ImError) -> None:
        """No connection came about."""
        if self.phase is not Phase.OPENING:
            return
        if error.retryable:
            self._wait(now, error)
        else:
            self._end(ClosedError.by(error), now)

    def socket_closed(self, now: float, code: int, reason: str) -> None:
        """The connection ended by itself."""
        if not self.connected:
            return
        error = UnreachableError.because(f"the connection was closed: {code} {reason}".rstrip())
        verdict = after_close(code, renewable=self.credentials.renewable and not self._renewed)
        if verdict is Verdict.END:
            number, name = meaning(code)
            self._kicked(ClosedError(number, name, reason or name), code, reason, now)
        else:
            self._lost(now)
            self._follow(verdict, error, now)

    def greeted(self, answer: session_pb2.HelloResponse, now: float) -> None:
        """The server took the hello."""
        self._server_time.observe(answer.server_time, now)
        self.credentials.keep_resume(answer.resume_token, self._server_time.at(now))
        self._take_over = False
        self._renewed = False
        if answer.limits.ping_interval_ms > 0:
            self._ping_interval_s = answer.limits.ping_interval_ms / 1000
        self._step_deadline = _NEVER
        self._plan_ping(now)
        self._plan_renewal(now)
        self._to(Phase.SYNCING)

    def synced(self) -> None:
        """The first sync is in: the connection is healthy."""
        if self.phase is Phase.SYNCING:
            self._was_healthy = True
            self._failures = 0
            self._to(Phase.ONLINE)

    def hello_refused(self, error: ImError, now: float) -> None:
        """The server answered the hello with an error."""
        verdict = after_refused_hello(
            error, resumed=self._resumed, renewable=self.credentials.renewable and not self._renewed
        )
        if verdict is Verdict.END:
            code = CloseCode.KICKED if error.number == ErrorNumber.KICKED else CloseCode.AUTHENTICATION_FAILED
            self._kicked(ClosedError.by(error), code, error.message, now)
        else:
            self.break_off(now, error, verdict=verdict)

    def kicked(self, close_code: int, reason: str, now: float) -> None:
        """The server announced the end."""
        if comes_back(close_code):
            self.break_off(now, UnreachableError.because(reason))
            return
        number, name = meaning(close_code)
        self._kicked(ClosedError(number, name, reason or name), close_code, reason, now)

    def going_away(self, after_ms: int, now: float) -> None:
        """The node stops: leave at a random moment of the time it gave."""
        self._leave_deadline = now + self._random.uniform(0, after_ms / 1000)

    def break_off(self, now: float, error: ImError, *, verdict: Verdict = Verdict.RETRY) -> None:
        """End this connection and try another."""
        self._commands.append(CloseSocket())
        self._lost(now)
        self._follow(verdict, error, now)

    # tokens

    def tokens_refreshed(self, access: AccessToken, now: float) -> None:
        """There is a new access token."""
        self.credentials.access = access
        self._renewing = False
        if self.phase is Phase.RENEWING:
            self._connect(now)
        elif self.connected:
            self._plan_renewal(now)
            if self.phase is not Phase.GREETING:
                self._on_token(access.token, now)

    def refresh_failed(self, error: ImError, now: float) -> None:
        """There is none, for now or for good."""
        self._renewing = False
        if not error.retryable:
            self.credentials.renewable = False
            self._end(ClosedError.by(error), now)
        elif self.phase is Phase.RENEWING:
            self._wait(now, error)
        else:
            self._failures += 1
            self._renew_deadline = now + reconnect_delay(self._failures, self._random)

    # time

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self.phase is Phase.WAITING and now >= self._step_deadline:
            self._connect(now)
        elif self.phase is Phase.OPENING and now >= self._step_deadline:
            self._commands.append(CloseSocket())
            self._wait(now, UnreachableError.because("the connection did not open in time"))
        elif self.connected:
            if now >= self._silence_deadline:
                # Moved here and not with each message, which would move every timer with it.
                self._silence_deadline = self.heard_at + self._settings.silence_limit_s
            if now >= min(self._step_deadline, self._silence_deadline):
                self.break_off(now, UnreachableError.because("the server is silent"))
            elif now >= self._leave_deadline:
                self.break_off(now, UnreachableError.because("the node is stopping"))
            elif now >= self._renew_deadline:
                self._renew_deadline = _NEVER
                self._renew()

    def take_ping(self, now: float) -> bool:
        """Whether a ping is due; it plans the next."""
        if now < self.ping_deadline or not self.online:
            return False
        self._plan_ping(now)
        return True

    def deadline(self) -> float:
        """When `tick` or `take_ping` has something to do."""
        if not self.connected:
            return self._step_deadline
        return min(
            self._step_deadline,
            self._silence_deadline,
            self._leave_deadline,
            self._renew_deadline,
            self.ping_deadline,
        )

    # within

    def _connect(self, now: float) -> None:
        match self.credentials.way(self._server_time.at(now)):
            case Way.RESUME | Way.ACCESS:
                self._step_deadline = now + self._settings.connect_timeout_s
                self._to(Phase.OPENING)
                self._commands.append(OpenSocket())
            case Way.REFRESH:
                self._step_deadline = _NEVER
                self._to(Phase.RENEWING)
                self._renew()
            case Way.NONE:
                self._end(ClosedError.by(from_table(ErrorNumber.UNAUTHENTICATED, "log in first")), now)

    def _follow(self, verdict: Verdict, error: ImError, now: float) -> None:
        if verdict is Verdict.RETRY_AT_ONCE:
            self._connect(now)
        elif verdict is Verdict.REFRESH:
            self._renewed = True
            self._to(Phase.RENEWING, error)
            self._renew()
        else:
            self._wait(now, error)

    def _wait(self, now: float, error: ImError) -> None:
        if self._was_healthy:
            self._was_healthy = False
            self._failures = 0
            self._away_since = now
        else:
            self._failures += 1
        away_s = now - self._away_since
        delay = reconnect_delay(self._failures, self._random, away_s=away_s, at_least_s=error.retry_after_ms / 1000)
        self._step_deadline = now + delay
        self._to(Phase.WAITING, error, retry_in_s=delay)

    def _renew(self) -> None:
        if not self._renewing:
            self._renewing = True
            self._commands.append(RefreshTokens())

    def _plan_ping(self, now: float) -> None:
        self.ping_deadline = now + around(self._ping_interval_s, self._random)

    def _plan_renewal(self, now: float) -> None:
        renew_time = self.credentials.renew_time()
        if renew_time is None:
            self._renew_deadline = _NEVER
        else:
            self._renew_deadline = now + max(0.0, (renew_time - self._server_time.at(now)) / 1000)

    def _kicked(self, error: ClosedError, code: int, reason: str, now: float) -> None:
        self._events.append(Kicked(code, reason or error.message))
        self._end(error, now)

    def _lost(self, now: float) -> None:
        self._leave_deadline = self._renew_deadline = self.ping_deadline = _NEVER
        self._silence_deadline = self._step_deadline = _NEVER
        self.phase = Phase.OFFLINE
        self.connected = self.online = False
        self._on_lost(now)

    def _end(self, error: ClosedError, now: float) -> None:
        if self.connected:
            self._commands.append(CloseSocket())
            self._lost(now)
        elif self.phase is Phase.OPENING:
            self._commands.append(CloseSocket())
        self._step_deadline = _NEVER
        self._to(Phase.CLOSED, error if error.number else None)
        self.error = error
        self._on_closed(error, now)

    def _to(self, phase: Phase, error: ImError | None = None, *, retry_in_s: float = 0) -> None:
        before = self.state
        self.phase = phase
        self.connected = phase in _CONNECTED
        self.online = phase is Phase.ONLINE
        if error is not None:
            self.error = error
        if self.state is not before or retry_in_s:
            self._events.append(ConnectionStateChanged(self.state, error, retry_in_s))
