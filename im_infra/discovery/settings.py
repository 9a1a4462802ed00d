"""Which registry, and what it starts with."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from im_infra.settings import Section
from im_infra.settings.client_tls import ClientTlsSettings


class EtcdSettings(Section):
    """The distributed member: an etcd, shared by all processes of a cluster."""

    endpoints: tuple[str, ...] = Field(
        default=("127.0.0.1:2379",),
        min_length=1,
        description="Its members, each `host:port`; one of them is asked, another where that does not answer.",
    )
    prefix: str = Field(
        default="/im/",
        pattern=r"^/.+/$",
        description="What every key begins with: clusters that share an etcd take different ones.",
    )
    user: str = Field(default="", description="Who we are to etcd; empty: nobody, where it asks nobody.")
    password: SecretStr = Field(default=SecretStr(""), description="The user's password; there is no default.")
    tls: ClientTlsSettings = ClientTlsSettings()
    lease_ttl_s: int = Field(
        default=10, ge=2, le=120, description="Life of a node's lease, in seconds; it is renewed each third of that."
    )
    timeout_s: float = Field(default=3.0, gt=0, le=30, description="How long one call may take, in seconds.")

    @model_validator(mode="after")
    def _needs_a_password(self) -> Self:
        if self.user and not self.password.get_secret_value():
            raise ValueError("password is needed where a user is set: there is no default")
        return self


class DiscoverySettings(Section):
    """How nodes find each other."""

    kind: Literal["static", "etcd"] = Field(
        default="static",
        description="The member: `static` is a fixed list, `etcd` a registry that all processes share.",
    )
    nodes: tuple[str, ...] = Field(
        default=(),
        description="The other nodes of a static list, each `service/node_id@host:port`; they are taken to be alive.",
    )
    etcd: EtcdSettings = EtcdSettings()
