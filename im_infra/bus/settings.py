"""Which bus, and how patient it is."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from im_infra.settings import Section


class KafkaTlsSettings(Section):
    """TLS to the brokers."""

    enabled: bool = Field(default=False, description="Whether the brokers are reached over TLS.")
    ca: Path | None = Field(
        default=None, description="PEM file with the authority of the brokers' certificates; unset: the system's own."
    )
    certificate: Path | None = Field(
        default=None, description="PEM file with our certificate chain, where the brokers ask for one."
    )
    private_key: Path | None = Field(default=None, description="PEM file with its private key.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) is not (self.private_key is None):
            raise ValueError("certificate and private_key go together")
        return self


class KafkaSaslSettings(Section):
    """Who we are to the brokers, where they ask."""

    mechanism: Literal["none", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="none", description="How we show the password; PLAIN sends it as it is, so use TLS with it."
    )
    username: str = Field(default="", description="Our name.")
    password: SecretStr = Field(default=SecretStr(""), description="Our password.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.mechanism != "none" and not (self.username and self.password.get_secret_value()):
            raise ValueError("a mechanism needs username and password")
        return self


class KafkaSettings(Section):
    """The distributed member."""

    bootstrap_servers: tuple[str, ...] = Field(
        default=("127.0.0.1:9092",), min_length=1, description="Brokers to ask for the others, as host:port."
    )
    topic_prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]{0,64}$",
        description="Put before the names of our topics and groups, where a Kafka serves others too.",
    )
    client_id: str = Field(default="im", description="What brokers call us in their logs and quotas.")
    partitions: int = Field(
        default=12,
        ge=1,
        le=1_000,
        description="Partitions of a topic that we make: the most consumers that share its work.",
    )
    replication_factor: int = Field(
        default=3, ge=1, le=100, description="Copies of each record in a topic that we make; 1 for a single broker."
    )
    min_insync_replicas: int = Field(
        default=2, ge=1, le=100, description="Copies that must be written before a record counts as taken."
    )
    fanout_retention_s: int = Field(
        default=3_600, ge=60, description="How long records of im.fanout are kept, in seconds: they hold messages."
    )
    dead_letter_retention_days: int = Field(
        default=30, ge=1, description="How long dead letters are kept for `im dlq`, in days."
    )
    linger_ms: int = Field(
        default=0,
        ge=0,
        le=1_000,
        description="Milliseconds a record waits for others; records gather anyway while a broker is busy.",
    )
    publish_timeout_s: float = Field(
        default=5.0, gt=0, description="Seconds until a record that no broker acknowledged counts as not taken."
    )
    request_timeout_s: float = Field(
        default=5.0, gt=0, description="Seconds a broker has to answer before it counts as gone."
    )
    session_timeout_s: float = Field(
        default=10.0, ge=6, le=300, description="Seconds of silence until a consumer's partitions go to the others."
    )
    tls: KafkaTlsSettings = KafkaTlsSettings()
    sasl: KafkaSaslSettings = KafkaSaslSettings()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.min_insync_replicas > self.replication_factor:
            raise ValueError("min_insync_replicas cannot exceed replication_factor: nothing would ever be taken")
        return self


class BusSettings(Section):
    """The bus between commits and what follows from them."""

    kind: Literal["embedded", "kafka"] = Field(
        default="embedded", description="The member: embedded is this process's own."
    )
    max_waiting: int = Field(
        default=10_000, ge=1, description="Records waiting to be taken or stored; full, publishing answers OVERLOADED."
    )
    max_tries: int = Field(
        default=3, ge=2, description="How often a record is handed out before it becomes a dead letter."
    )
    first_backoff_ms: int = Field(
        default=200, ge=0, description="Milliseconds before the second try; each further wait is five times as long."
    )
    patience_s: float = Field(
        default=60.0,
        ge=0,
        description="Seconds to go on trying while what a record needs is away, before it becomes a dead letter all the same.",
    )
    poll_interval_ms: int = Field(
        default=1_000, ge=10, description="Milliseconds between looks for stored records that nobody announced."
    )
    kafka: KafkaSettings = KafkaSettings()
