"""Which registry, and what it starts with."""

from typing import Literal

from pydantic import Field

from im_infra.settings import Section


class DiscoverySettings(Section):
    """How nodes find each other."""

    kind: Literal["static"] = Field(default="static", description="The member: static is a fixed list.")
    nodes: tuple[str, ...] = Field(
        default=(),
        description="The other nodes of a static list, each `service/node_id@host:port`; they are taken to be alive.",
    )
