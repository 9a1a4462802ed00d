"""Where traces begin: a share of the clients' requests, and those that clients ask for, if they are followed."""

from im_infra.observability import traceparent
from im_infra.observability.sampler import Sampler
from im_infra.observability.span_names import GATEWAY_REQUEST
from im_infra.observability.tracing import Span, Tracer
from im_proto.v1.frame_pb2 import ClientFrame


class Traces:
    """Begins the traces of sampled requests.

    Args:
        tracer: records them.
        sampler: says which.
        follow_clients: a request's own `traceparent` is continued.
    """

    def __init__(self, tracer: Tracer, sampler: Sampler, *, follow_clients: bool) -> None:
        self._tracer = tracer
        self._sampler = sampler
        self._follow_clients = follow_clients

    def begin(self, frame: ClientFrame) -> Span | None:
        """The span of a request that goes to logic now; None: it is not sampled."""
        asked = frame.traceparent if self._follow_clients else ""
        if asked:
            parent = traceparent.read(asked)
            if parent and self._sampler.admit():
                return self._start(frame, parent)
        if self._sampler.due():
            return self._start(frame, b"")
        return None

    def _start(self, frame: ClientFrame, parent: bytes) -> Span:
        return self._tracer.start(GATEWAY_REQUEST, parent, operation=frame.WhichOneof("operation") or "")
