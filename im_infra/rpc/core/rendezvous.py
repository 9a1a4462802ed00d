"""Rendezvous hashing: every process picks the same peer for a key, and a peer that goes moves only its own keys."""

import hashlib
from typing import Final

_MASK: Final = (1 << 64) - 1


def seed(node_id: str) -> int:
    """A node's place, the same in every process."""
    return int.from_bytes(hashlib.blake2b(node_id.encode(), digest_size=8).digest())


def weight(node_seed: int, key: int) -> int:
    """How much a node wants a key; the highest has it. The mixing is SplitMix64's."""
    mixed = (node_seed ^ (key * 0x9E3779B97F4A7C15)) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)
