"""The process at one end of a stream."""

from typing import NamedTuple


class Peer(NamedTuple):
    """Who speaks. Each service of a process is a node of its own, with a node id of its own."""

    node_id: str
    """The node's name, stable over restarts."""
    boot_id: str
    """Random per start."""
