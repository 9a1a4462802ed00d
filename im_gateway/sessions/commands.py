"""Frames of open connections: what is answered here, and what goes on to logic."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

from im_gateway.auth.access_token import AccessClaims, AccessTokenVerifier
from im_gateway.codec import frames
from im_gateway.codec.abstract import Malformed
from im_gateway.connections.connection import Connection, State
from im_gateway.connections.hub import Hub
from im_gateway.sessions.logic_link import LogicLink
from im_gateway.sessions.traces import Traces
from im_infra import error_table
from im_infra.contract.command import command_body, traced
from im_infra.error_table import Reason
from im_infra.errors import ImError, NotStartedError
from im_infra.observability.tracing import Span
from im_infra.rpc.stream_client import OnAnswer
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import TypingResponse
from im_proto.v1.read_pb2 import ViewResponse
from im_proto.v1.session_pb2 import RefreshResponse

_OPEN: Final = int(State.OPEN)  # an enum's member costs a lookup through its class each time
_MAX_VIEW: Final = 8
_OVERLOADED_RETRY_MS: Final = 100

Learner = Callable[[bytes], None]
"""Looks at a serialised ServerFrame that passes by."""

Local = Callable[[Connection, ClientFrame, float], bool]
"""Handles an operation here; False: it goes on to logic."""


class LocalPulls(Protocol):
    """Pulls that need not go to logic."""

    def answer(self, connection: Connection, frame: ClientFrame) -> bool:
        """Answer a pull; False: logic has to."""
        ...

    def learner(self, connection: Connection, conversation_id: int) -> Learner | None:
        """What wants to see logic's answer."""
        ...


class Commands:
    """Handles the frames of open connections.

    Args:
        hub: the connections.
        link: the way to logic.
        verifier: checks the tokens of Refresh.
        on_view: a connection's view changed from what it was.
        pulls: answers what needs no logic.
        traces: begins those of sampled frames; None: nothing is traced.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        link: LogicLink,
        verifier: AccessTokenVerifier,
        on_view: Callable[[Connection, frozenset[int]], None],
        pulls: LocalPulls,
        traces: Traces | None = None,
    ) -> None:
        self._hub = hub
        self._link = link
        self._verifier = verifier
        self._on_view = on_view
        self._pulls = pulls
        self._traces = traces
        self._timeout_s = hub.settings.connections.request_timeout_s
        self._max_open_requests = hub.settings.connections.max_open_requests
        self._typing_response = ServerFrame(typing=TypingResponse()).SerializeToString()
        self._view_response = ServerFrame(view=ViewResponse()).SerializeToString()
        self._local: dict[str, Local] = {
            "hello": _second_hello,
            "ping": self._ping,
            "refresh": self._refresh,
            "view": self._view,
            "typing": self._typing,
            "pull": self._pull,
        }

    def on_frames(
        self,
        connection: Connection,
        decoded: Sequence[ClientFrame | Malformed],
        now: float,
        sole_frame: bytes = b"",
    ) -> None:
        """Frames of one WebSocket message, in order.

        Args:
            connection: where they came.
            decoded: one or more.
            now: monotonic seconds.
            sole_frame: the serialised frame where there is a single one and its bytes are at hand.
        """
        for frame in decoded:
            if isinstance(frame, Malformed):
                self._hub.tally.malformed_frames += 1
                connection.fail(frame.request_id, ImError(error_table.FRAME_INVALID, frame.message))
            elif connection.state == _OPEN:
                self._on_frame(connection, frame, now, sole_frame)

    def _on_frame(self, connection: Connection, frame: ClientFrame, now: float, raw: bytes) -> None:
        operation = frame.WhichOneof("operation")
        if operation is None:
            connection.fail(frame.request_id, ImError(error_table.OPERATION_UNKNOWN))
            return
        if not connection.exempt and operation != "ping" and not self._within_limits(connection, operation, frame, now):
            return
        local = self._local.get(operation)
        if local is None or not local(connection, frame, now):
            self._forward(connection, frame, raw or frame.SerializeToString())

    def _within_limits(self, connection: Connection, operation: str, frame: ClientFrame, now: float) -> bool:
        limits = connection.limits
        assert limits is not None, "set when the session opened"
        # A re-send may be answered with what was stored: it does not count as a new message, but as an operation.
        if operation == "send" and frame.send.attempt <= 1:
            wait_s = limits.sends.take(now)
            if wait_s:
                self._hub.tally.limited_sends += 1
        else:
            wait_s = limits.operations.take(now)
            if wait_s:
                self._hub.tally.limited_operations += 1
        if wait_s:
            _refuse(connection, frame, error_table.RATE_LIMITED, retry_after_ms=int(wait_s * 1000) + 1)
            return False
        return True

    def _forward(self, connection: Connection, frame: ClientFrame, raw: bytes, learner: Learner | None = None) -> None:
        request_id = frame.request_id
        if connection.open_requests >= self._max_open_requests:
            _refuse(connection, frame, error_table.OVERLOADED, retry_after_ms=_OVERLOADED_RETRY_MS)
            return
        client = connection.logic
        user_id = connection.caller.user_id
        if client is None or not client.ready:
            try:
                client = connection.logic = self._link.pick(user_id)
            except ImError as error:
                connection.fail(request_id, error)
                return
        connection.open_requests += 1
        body = command_body(connection.command_head, raw)
        on_answer = partial(self._on_answer, connection, request_id, body)
        if self._traces is not None:
            span = self._traces.begin(frame)
            if span is not None:
                body = traced(body, span.context)
                on_answer = partial(self._on_traced_answer, span, connection, request_id, body)
        client.request(
            body, on_answer if learner is None else partial(_learn, learner, on_answer), timeout_s=self._timeout_s
        )

    def _on_answer(
        self, connection: Connection, request_id: int, request: bytes, body: bytes | None, error: ImError | None
    ) -> None:
        if body is not None:
            connection.open_requests -= 1
            if request_id:
                connection.answer(request_id, body)
        elif isinstance(error, NotStartedError):
            # All of a connection's requests that were not started are told so in order: they keep it at the next process.
            again = partial(_on_last_answer, connection, request_id)
            self._link.ask_again(connection.caller.user_id, request, again)
        else:
            _on_last_answer(connection, request_id, body, error)

    def _on_traced_answer(
        self,
        span: Span,
        connection: Connection,
        request_id: int,
        request: bytes,
        body: bytes | None,
        error: ImError | None,
    ) -> None:
        """As `_on_answer`; the span ends with the last answer, whoever gives it."""
        if isinstance(error, NotStartedError):
            last = partial(_on_last_traced_answer, span, connection, request_id)
            self._link.ask_again(connection.caller.user_id, request, last)
        else:
            span.end(error)
            self._on_answer(connection, request_id, request, body, error)

    def _ping(self, connection: Connection, frame: ClientFrame, _now: float) -> bool:
        connection.answer(frame.request_id, frames.ping_frame(self._hub.clock.now_ms()))
        return True

    def _view(self, connection: Connection, frame: ClientFrame, _now: float) -> bool:
        conversation_ids = frame.view.conversation_ids
        if len(conversation_ids) > _MAX_VIEW:
            _refuse(connection, frame, error_table.FIELD_INVALID, message=f"at most {_MAX_VIEW} conversation_ids")
            return True
        before = connection.view
        connection.view = frozenset(conversation_ids)
        self._on_view(connection, before)
        connection.answer(frame.request_id, self._view_response)
        return True

    def _typing(self, connection: Connection, frame: ClientFrame, now: float) -> bool:
        limits = connection.limits
        if limits is None or limits.take_typing(frame.typing.conversation_id, now):
            return False
        connection.answer(frame.request_id, self._typing_response)
        return True

    def _pull(self, connection: Connection, frame: ClientFrame, _now: float) -> bool:
        if self._pulls.answer(connection, frame):
            return True
        learner = self._pulls.learner(connection, frame.pull.conversation_id)
        self._forward(connection, frame, frame.SerializeToString(), learner)
        return True

    def _refresh(self, connection: Connection, frame: ClientFrame, now: float) -> bool:
        try:
            claims = self._verifier.verify(frame.refresh.access_token)
            _check_same_session(connection, claims)
        except ImError as error:
            connection.fail(frame.request_id, error)
            return True
        connection.generation = claims.generation
        connection.token_expires_at = now + (claims.expire_time - self._hub.clock.now_ms()) / 1000
        self._hub.on_token_changed(connection)
        response = RefreshResponse(expire_time=claims.expire_time)
        connection.answer(frame.request_id, ServerFrame(refresh=response).SerializeToString())
        return True


def _check_same_session(connection: Connection, claims: AccessClaims) -> None:
    if (claims.user_id, claims.session_id) != (connection.caller.user_id, connection.caller.session_id):
        raise ImError(error_table.UNAUTHENTICATED, "the token is of another session")
    if claims.generation < connection.generation:
        raise ImError(error_table.SESSION_REVOKED)


def _second_hello(connection: Connection, frame: ClientFrame, _now: float) -> bool:
    _refuse(connection, frame, error_table.HELLO_REQUIRED, message="Hello is said once")
    return True


def _refuse(
    connection: Connection, frame: ClientFrame, reason: Reason, *, message: str = "", retry_after_ms: int = 0
) -> None:
    connection.fail(frame.request_id, ImError(reason, message, retry_after_ms=retry_after_ms))


def _learn(learner: Learner, on_answer: OnAnswer, body: bytes | None, error: ImError | None) -> None:
    if body is not None:
        learner(body)
    on_answer(body, error)


def _on_last_answer(connection: Connection, request_id: int, body: bytes | None, error: ImError | None) -> None:
    connection.open_requests -= 1
    if body is None:
        connection.fail(request_id, error or ImError(error_table.INTERNAL))
    elif request_id:
        connection.answer(request_id, body)


def _on_last_traced_answer(
    span: Span, connection: Connection, request_id: int, body: bytes | None, error: ImError | None
) -> None:
    span.end(error)
    _on_last_answer(connection, request_id, body, error)
