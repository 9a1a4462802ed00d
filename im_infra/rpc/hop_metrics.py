"""What the streams of a hop tell about themselves: depths when somebody looks, the rest once per frame or failure.

A hop is named by its two services, such as `gateway_logic`: the first asks, the second answers and pushes.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.rpc.core.frame import Frame

ASKING = "asking"
ANSWERING = "answering"


class AskingDepths(Protocol):
    """An asking end of a stream."""

    @property
    def waiting(self) -> int:
        """Requests that wait for credit or for their frame."""
        ...

    @property
    def open(self) -> int:
        """Requests written and not answered."""
        ...

    @property
    def credit(self) -> int:
        """Requests that the peer would take at once."""
        ...


class AnsweringDepths(Protocol):
    """An answering end of a stream."""

    @property
    def open(self) -> int:
        """Requests taken and not answered."""
        ...

    @property
    def unacknowledged(self) -> int:
        """Pushes queued or sent and not acknowledged."""
        ...


class AskingMetrics:
    """The asking side of one hop.

    Args:
        metrics: of the process.
        hop: its name.
        ends: the ends of the open streams, as they are now.
    """

    def __init__(self, metrics: Metrics, hop: str, ends: Callable[[], Iterable[AskingDepths]]) -> None:
        self._hop = hop
        self._frame_items = metrics.histogram("im_rpc_frame_items").labels(hop, ASKING)
        self._seconds = metrics.histogram("im_rpc_request_seconds").labels(hop)
        self._failed = metrics.counter("im_rpc_failed_requests_total")
        self._lost = metrics.counter("im_rpc_lost_streams_total").labels(hop)

        def tell(name: str, value: Callable[[AskingDepths], int], *labels: str) -> None:
            metrics.gauge(name).labels(hop, *labels).set_function(lambda: sum(value(end) for end in ends()))

        tell("im_rpc_streams", lambda _end: 1, ASKING)
        tell("im_rpc_waiting_requests", lambda end: end.waiting)
        tell("im_rpc_open_requests", lambda end: end.open, ASKING)
        tell("im_rpc_credit_requests", lambda end: end.credit)

    def wrote(self, frame: Frame) -> None:
        """A frame is written."""
        self._frame_items.observe(frame.items)

    def took(self, seconds: float) -> None:
        """A request took so long."""
        self._seconds.observe(seconds)

    def failed(self, error: ImError) -> None:
        """A request ended without an answer of the peer's."""
        self._failed.labels(self._hop, error.reason.name).inc()

    def lost(self) -> None:
        """An open stream broke."""
        self._lost.inc()


class AnsweringMetrics:
    """The answering side of one hop.

    Args:
        metrics: of the process.
        hop: its name.
        ends: the ends of the open streams, as they are now.
    """

    def __init__(self, metrics: Metrics, hop: str, ends: Callable[[], Iterable[AnsweringDepths]]) -> None:
        self._frame_items = metrics.histogram("im_rpc_frame_items").labels(hop, ANSWERING)
        self._refused = metrics.counter("im_rpc_refused_pushes_total").labels(hop)

        def tell(name: str, value: Callable[[AnsweringDepths], int], *labels: str) -> None:
            metrics.gauge(name).labels(hop, *labels).set_function(lambda: sum(value(end) for end in ends()))

        tell("im_rpc_streams", lambda _end: 1, ANSWERING)
        tell("im_rpc_open_requests", lambda end: end.open, ANSWERING)
        tell("im_rpc_unacknowledged_pushes", lambda end: end.unacknowledged)

    def wrote(self, frame: Frame) -> None:
        """A frame is written."""
        self._frame_items.observe(frame.items)

    def refused_push(self) -> None:
        """A push found the queue full."""
        self._refused.inc()


class Stopwatch:
    """Times one request of a stream at a time, so that none of the others costs anything.

    The next one timed is the first of the first frame written after the last one ended.

    Args:
        metrics: told how long it took.
        is_open: whether the request of a number still waits for its answer.
        monotonic: seconds.
    """

    __slots__ = ("_is_open", "_metrics", "_monotonic", "_number", "_since")

    def __init__(self, metrics: AskingMetrics, is_open: Callable[[int], bool], monotonic: Callable[[], float]) -> None:
        self._metrics = metrics
        self._is_open = is_open
        self._monotonic = monotonic
        self._number = 0
        self._since = 0.0

    def wrote(self, frame: Frame) -> None:
        """A frame is written."""
        self._metrics.wrote(frame)
        if not self._number and frame.requests:
            self._number, self._since = frame.first_request, self._monotonic()

    def heard(self) -> None:
        """Answers came, or the time of some requests ran out."""
        if self._number and not self._is_open(self._number):
            self._metrics.took(self._monotonic() - self._since)
            self._number = 0
