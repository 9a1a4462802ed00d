"""Every span of the cluster: the one list that code and documentation take their names from.

A name is `<service>.<what it does>`. What varies goes into attributes: never a body, a token or a name of a person.
"""

from typing import Final, Literal, NamedTuple

SpanKind = Literal["server", "client", "internal", "producer", "consumer"]


class SpanName(NamedTuple):
    """One kind of span."""

    name: str
    kind: SpanKind
    help: str
    """From when to when."""


GATEWAY_REQUEST: Final = SpanName(
    "gateway.request", "server", "From a client's frame (or HTTP request) to its answer; the root of a trace."
)
GATEWAY_PUSH: Final = SpanName(
    "gateway.push", "consumer", "A frame of a small conversation goes into the buffers of its connections."
)
GATEWAY_FAN_OUT: Final = SpanName(
    "gateway.fan_out", "consumer", "Entries of a large conversation go into the buffers of the interested connections."
)
LOGIC_REQUEST: Final = SpanName("logic.request", "server", "From a request's arrival at logic to its answer.")
LOGIC_CALL: Final = SpanName(
    "logic.call", "client", "A call to repo outside the streams, for what happens once in a while."
)
LOGIC_DELIVER: Final = SpanName(
    "logic.deliver",
    "internal",
    "From an entry's commit to the last push queued: members, routes, one push per gateway.",
)
LOGIC_PUBLISH: Final = SpanName(
    "logic.publish", "producer", "Entries of a large conversation are handed to the bus, until it has them."
)
LOGIC_REDELIVER: Final = SpanName(
    "logic.redeliver", "internal", "What was not confirmed in time is read and delivered again."
)
REPO_REQUEST: Final = SpanName("repo.request", "server", "From a request's arrival at repo to its answer.")
REPO_APPEND_BATCH: Final = SpanName(
    "repo.append_batch", "internal", "One append transaction; linked to every sampled entry in it."
)
TASK_FAN_OUT: Final = SpanName(
    "task.fan_out", "consumer", "Records of one stretch, until every interested gateway has its frame."
)

SPANS: Final[tuple[SpanName, ...]] = (
    GATEWAY_REQUEST,
    LOGIC_REQUEST,
    LOGIC_CALL,
    REPO_REQUEST,
    REPO_APPEND_BATCH,
    LOGIC_DELIVER,
    GATEWAY_PUSH,
    LOGIC_PUBLISH,
    TASK_FAN_OUT,
    GATEWAY_FAN_OUT,
    LOGIC_REDELIVER,
)
"""In the order in which a message meets them."""
