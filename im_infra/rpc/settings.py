"""What can be set about calls between services."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from im_infra.settings import Section


class StreamSettings(Section):
    """One stream between two processes."""

    window: int = Field(
        default=4_096, ge=1, description="Requests a peer may have open with us on one stream, in items."
    )
    max_waiting: int = Field(
        default=4_096, ge=0, description="Requests that may wait for credit; more are OVERLOADED, in items."
    )
    max_waiting_bytes: int = Field(default=16 << 20, ge=0, description="Bodies that may wait for credit, in bytes.")
    max_pushes: int = Field(default=8_192, ge=1, description="Pushes not yet acknowledged on one stream, in items.")
    max_push_bytes: int = Field(
        default=8 << 20, ge=1, description="Pushes not yet acknowledged on one stream, in bytes."
    )
    max_frame_items: int = Field(default=256, ge=2, description="Items gathered into one frame, in items.")
    max_frame_bytes: int = Field(
        default=256 << 10, ge=1_024, description="Bodies gathered into one frame, in bytes; a larger one goes alone."
    )
    max_body_bytes: int = Field(
        default=(16 << 20) - (64 << 10),
        ge=1_024,
        description="The largest single body, in bytes; below the channels' limit.",
    )
    tick_s: float = Field(default=0.05, gt=0, description="How often deadlines are looked at, in seconds.")
    connect_timeout_s: float = Field(
        default=5.0, gt=0, description="How long a new stream may take to greet, in seconds."
    )
    reconnect_first_s: float = Field(
        default=0.1,
        gt=0,
        description="The longest wait before the first reconnect, in seconds; the wait is random below it.",
    )
    reconnect_max_s: float = Field(
        default=2.0, gt=0, description="The longest wait before any reconnect, in seconds; doubling stops here."
    )


class ChannelSettings(Section):
    """gRPC channels and servers between services."""

    max_message_bytes: int = Field(default=16 << 20, ge=1 << 20, description="The largest gRPC message, in bytes.")
    keepalive_time_s: float = Field(
        default=10.0, ge=1, description="A silent connection is pinged after this, in seconds."
    )
    keepalive_timeout_s: float = Field(
        default=5.0, ge=1, description="A ping unanswered for this long ends the connection, in seconds."
    )


class RpcTlsSettings(Section):
    """TLS between services, each side proving itself to the other; without it, the network between them must be trusted."""

    ca: Path | None = Field(
        None, description="PEM file with the authority of all services' certificates; unset: no TLS."
    )
    certificate: Path | None = Field(None, description="PEM file with this process's certificate chain.")
    private_key: Path | None = Field(None, description="PEM file with its private key.")
    server_name: str = Field("im-cluster", description="The name that every service's certificate carries.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parts = (self.ca, self.certificate, self.private_key)
        if any(parts) and not all(parts):
            raise ValueError("ca, certificate and private_key go together")
        return self
