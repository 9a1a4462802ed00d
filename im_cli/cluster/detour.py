"""How the processes of a cluster reach each other: straight, or past something that stands between."""

from collections.abc import Callable

Detour = Callable[[str, int], int]
"""Gives the port of loopback at which the services reach a server, from its name and the port on which it listens."""


def straight(_name: str, port: int) -> int:
    """Nothing stands between."""
    return port
