"""What can be set about traces."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from im_infra.settings import Section


class TracingSettings(Section):
    """OpenTelemetry traces, told to a collector over OTLP (gRPC); off unless an endpoint is set."""

    endpoint: str = Field(
        "",
        pattern=r"^(https?://[^/\s]+)?$",
        description="The collector, such as `http://127.0.0.1:4317`; `https` speaks TLS. Empty: no traces.",
    )
    sample_ratio: float = Field(
        0.001, ge=0, le=1, description="The share of clients' requests that gateways begin a trace for."
    )
    max_traces_per_s: float = Field(
        50.0, ge=1, description="Traces that a gateway begins a second at most, whoever asked for them."
    )
    follow_clients: bool = Field(
        default=False, description="Continue the trace of a request that carries a sampled `traceparent`."
    )
    headers: dict[str, SecretStr] = Field(
        {}, description="Headers for the collector, such as an API key; names in lower case."
    )
    ca: Path | None = Field(
        None, description="PEM file of the authorities that may sign the collector's certificate; unset: the system's."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.ca is not None and not self.endpoint.startswith("https://"):
            raise ValueError("ca needs an endpoint with https")
        return self
