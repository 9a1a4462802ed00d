"""Connections that say nothing need no account each: a device may hold several, and each costs the server the same."""

from typing import Final

INSTANCES: Final = 7
"""One below what a device may hold, so that people may be dealt to processes unevenly."""


def people_for(connections: int, *, instances: int = INSTANCES) -> int:
    """How many people are needed for so many connections, each with so many instances of one device."""
    return -(-connections // instances)
