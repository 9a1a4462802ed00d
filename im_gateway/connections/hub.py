"""All connections of this gateway, and what they share."""

import gc
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from im_gateway.codec.abstract import Codec, Malformed
from im_gateway.connections.connection import Connection, State
from im_gateway.connections.deadlines import DeadlineRules, end_due, next_look
from im_gateway.connections.flusher import Flusher
from im_gateway.connections.tally import Tally
from im_gateway.connections.wheel import Wheel
from im_gateway.settings import GatewaySettings
from im_gateway.transport.abstract import Handshake
from im_gateway.transport.networks import Networks
from im_infra.clock import Clock
from im_infra.error_table import CloseCode
from im_infra.observability.metrics import Metrics
from im_proto.v1.frame_pb2 import ClientFrame

_REASONS: Final = {
    CloseCode.HELLO_TIMEOUT: "no Hello",
    CloseCode.SLOW_READER: "too slow",
    CloseCode.TOKEN_STALE: "the access token expired",
    CloseCode.HEARTBEAT_MISSED: "silence",
}


class Sessions(Protocol):
    """What handles a connection's frames."""

    def on_early_frames(self, connection: Connection, decoded: Sequence[ClientFrame | Malformed], now: float) -> None:
        """Frames came before the session was open."""
        ...

    def on_frames(
        self, connection: Connection, decoded: Sequence[ClientFrame | Malformed], now: float, sole_frame: bytes
    ) -> None:
        """Frames came; `sole_frame` is the serialised one where there is a single one and its bytes are at hand."""
        ...

    def on_closed(self, connection: Connection) -> None:
        """A connection is gone, whatever state it was in."""
        ...


class Hub:
    """The connections by id, user and session; their wheel, flusher and counts.

    Args:
        settings: the gateway's.
        codecs: the subprotocols served.
        clock: time.
        metrics: counters.
        exempt: networks without buckets.
        flusher: writes what gathered.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        codecs: Sequence[Codec],
        clock: Clock,
        metrics: Metrics,
        exempt: Networks,
        flusher: Flusher,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.monotonic: Callable[[], float] = clock.monotonic
        self.flusher = flusher
        self.tally = Tally(metrics)
        self.sessions: Sessions
        self.connections: dict[int, Connection] = {}
        self._by_user: dict[int, list[Connection]] = {}
        self._by_session: dict[int, list[Connection]] = {}
        self._codecs = {codec.subprotocol: codec for codec in codecs}
        self._exempt = exempt
        self._ids = itertools.count(1)
        self._wheel: Wheel[Connection] = Wheel(clock.monotonic())
        limits = settings.connections
        self._rules = DeadlineRules(
            hello_timeout_s=limits.hello_timeout_s,
            silence_timeout_s=limits.silence_timeout_s,
            token_grace_s=limits.token_grace_s,
            lagged_timeout_s=limits.lagged_timeout_s,
        )
        self._opened = 0
        self._ended = metrics.counter("im_gateway_ended_connections_total")
        self._lagged = metrics.counter("im_gateway_lagged_connections_total")
        metrics.gauge("im_gateway_connections").set_function(lambda: len(self.connections))

    def new_connection(self, handshake: Handshake) -> Connection:
        """Make what lives on a new socket."""
        return Connection(
            next(self._ids),
            self._codecs[handshake.subprotocol],
            address=handshake.address,
            exempt=handshake.address in self._exempt,
            hub=self,
        )

    def on_open(self, connection: Connection) -> None:
        """A socket opened."""
        self.connections[connection.connection_id] = connection
        self._look_later(connection)
        self._opened += 1
        if self._opened % self.settings.connections.freeze_every == 0:
            gc.freeze()  # a full collection over thousands of idle connections takes 70-280 ms

    def on_session(self, connection: Connection) -> None:
        """A Hello was good: the connection is found by user and session, too."""
        self._by_user.setdefault(connection.caller.user_id, []).append(connection)
        self._by_session.setdefault(connection.caller.session_id, []).append(connection)
        self._look_later(connection)

    def on_closed(self, connection: Connection) -> None:
        """A socket is gone."""
        self.connections.pop(connection.connection_id, None)
        self._wheel.remove(connection)
        _discard(self._by_user, connection.caller.user_id, connection)
        _discard(self._by_session, connection.caller.session_id, connection)
        self.sessions.on_closed(connection)

    def on_lagged(self, connection: Connection) -> None:
        """A connection began to lag."""
        self._lagged.inc()
        self._look_later(connection)

    def on_token_changed(self, connection: Connection) -> None:
        """A connection's token expires at another time now."""
        self._look_later(connection)

    def count_end(self, code: CloseCode) -> None:
        """The gateway ends a connection."""
        self._ended.labels(code.name).inc()

    def of_user(self, user_id: int) -> Iterable[Connection]:
        """A user's open connections."""
        return tuple(self._by_user.get(user_id, ()))

    def of_session(self, session_id: int) -> Iterable[Connection]:
        """A session's open connections."""
        return tuple(self._by_session.get(session_id, ()))

    @property
    def session_ids(self) -> Sequence[int]:
        """Sessions with an open connection."""
        return tuple(self._by_session)

    def tick(self) -> None:
        """Once a second: end what is due, carry the counts over."""
        now = self.monotonic()
        for connection in self._wheel.turn(now):
            if connection.state >= State.ENDING:
                continue
            code = end_due(connection.vitals, now, self._rules)
            if code is None:
                self._look_later(connection)
            else:
                connection.end(code, _REASONS[code])
        self.tally.publish()

    def _look_later(self, connection: Connection) -> None:
        self._wheel.put(connection, next_look(connection.vitals, self._rules))


def _discard(index: dict[int, list[Connection]], key: int, connection: Connection) -> None:
    found = index.get(key)
    if found is not None and connection in found:
        found.remove(connection)
        if not found:
            del index[key]
