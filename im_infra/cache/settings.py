"""Which cache, and how it is reached."""

from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from im_infra.settings import Section
from im_infra.settings.client_tls import ClientTlsSettings


class RedisSettings(Section):
    """The distributed member: a Redis or a Redis Cluster, shared by all processes of a cluster."""

    addresses: tuple[str, ...] = Field(
        default=("127.0.0.1:6379",),
        min_length=1,
        description="Where it is, each `host:port`; of a Redis Cluster some of its nodes, the others are asked for.",
    )
    cluster: bool = Field(default=False, description="It is a Redis Cluster.")
    username: str = Field(default="", description="Who we are to Redis; empty: its default user.")
    password: SecretStr = Field(default=SecretStr(""), description="The user's password; there is no default.")
    tls: ClientTlsSettings = ClientTlsSettings()
    timeout_ms: int = Field(
        default=500,
        ge=10,
        le=30_000,
        description="Milliseconds that connecting, and each round trip, may take; then Redis counts as away.",
    )
    connections: int = Field(
        default=2, ge=1, le=64, description="Connections to each node; what comes meanwhile shares the next round trip."
    )
    max_waiting: int = Field(
        default=100_000, ge=1, description="Keys that may wait for a node; more are refused with UNAVAILABLE."
    )
    key_prefix: str = Field(
        default="im:", description="What every key begins with: clusters that share a Redis take different ones."
    )

    @field_validator("addresses")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            host, _, port = address.rpartition(":")
            if not host or not port.isdecimal():
                raise ValueError(f"an address is written host:port, not {address!r}")
        return value

    @model_validator(mode="after")
    def _one_unless_cluster(self) -> Self:
        if not self.cluster and len(self.addresses) != 1:
            raise ValueError("addresses names one server, unless cluster is set")
        return self


class CacheSettings(Section):
    """The shared cache."""

    kind: Literal["memory", "redis"] = Field(
        default="memory", description="The member: `memory` is this process's own, `redis` a Redis or Redis Cluster."
    )
    max_entries: int = Field(default=1_000_000, ge=1, description="Entries kept in memory; full, new keys are refused.")
    max_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1,
        description="Bytes of keys and values kept in memory; full, new keys are refused.",
    )
    redis: RedisSettings = RedisSettings()

    @model_validator(mode="after")
    def _needs_a_password(self) -> Self:
        if self.kind == "redis" and not self.redis.password.get_secret_value():
            raise ValueError("redis.password is needed: there is no default")
        return self
