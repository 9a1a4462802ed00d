from im_gateway.sessions.traces import Traces
from im_infra.observability import traceparent
from im_infra.observability.sampler import Sampler
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import SendRequest
from tests.support.spans import RecordingTracer

ASKED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def traces(ratio: float, *, follow: bool, max_per_s: float = 10) -> tuple[Traces, RecordingTracer]:
    tracer = RecordingTracer()
    sampler = Sampler(ratio, max_per_s=max_per_s, monotonic=lambda: 0.0, chance=lambda: 0.5)
    return Traces(tracer, sampler, follow_clients=follow), tracer


def frame(asked: str = "") -> ClientFrame:
    return ClientFrame(send=SendRequest(), traceparent=asked)


def test_a_sampled_request_begins_a_trace_that_says_what_was_asked() -> None:
    begun, tracer = traces(1, follow=False)
    assert begun.begin(frame(ASKED)) is not None
    assert (tracer.spans[0].parent, tracer.spans[0].attributes) == (b"", {"operation": "send"})


def test_a_client_is_followed_only_if_that_is_set() -> None:
    begun, tracer = traces(0, follow=True)
    assert begun.begin(frame(ASKED)) is not None
    assert tracer.spans[0].parent == traceparent.read(ASKED)
    assert begun.begin(frame("nonsense")) is None
    assert begun.begin(frame(ASKED.removesuffix("01") + "00")) is None
    assert traces(0, follow=False)[0].begin(frame(ASKED)) is None


def test_clients_cannot_ask_for_more_than_the_bound() -> None:
    begun, _ = traces(0, follow=True, max_per_s=3)
    assert sum(begun.begin(frame(ASKED)) is not None for _ in range(10)) == 3
