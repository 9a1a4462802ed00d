"""One thing to be pushed to some users."""

from collections.abc import Sequence
from dataclasses import dataclass

from im_infra.observability.tracing import Span
from im_logic.asker import Origin
from im_logic.delivery.confirmations import Countdown


@dataclass(slots=True)
class Parcel:
    """A frame and whom it is for, or what their gateways are told."""

    users: Sequence[int]
    frame: bytes
    """A serialised im.v1.ServerFrame: encoded once, the same bytes for everybody. Empty with `gateway_push`."""
    bare_users: Sequence[int] = ()
    bare_frame: bytes = b""
    ephemeral: bool = False
    """It may be lost."""
    skip: Origin | None = None
    """This connection has its answer and gets no push."""
    countdown: Countdown | None = None
    """Hears of every gateway's acknowledgement."""
    trace: Span | None = None
    """The delivery's span, where the entry is sampled; ends when every gateway's push is queued."""
    gateway_push: bytes = b""
    """A serialised im.gateway.v1.GatewayPush for each gateway where one of `users` is connected, instead of a frame."""
