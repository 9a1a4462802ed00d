"""What a cluster is told that a load tester drives from one machine."""

from collections.abc import Mapping
from typing import Final

UNLIMITED: Final[Mapping[str, str]] = {
    "IM_GATEWAY__LIMITS__EXEMPT_NETWORKS": "127.0.0.0/8",
    "IM_GATEWAY__LIMITS__HANDSHAKES_PER_S": "5000",
    "IM_GATEWAY__LIMITS__HANDSHAKE_BURST": "20000",
    "IM_LOGIC__MESSAGING__SENDS_PER_GROUP_S": "1000000",
    "IM_LOGIC__MESSAGING__SENDS_PER_HUGE_S": "1000000",
    "IM_LOGIC__MESSAGING__GUEST_SLOW_MODE_MS": "0",
    "IM_LOGIC__WORLD__SLOW_MODE_S": "0",
    "IM_LOGIC__ACCOUNTS__PASSWORDS__TIME_COST": "1",
    "IM_LOGIC__ACCOUNTS__PASSWORDS__MEMORY_KIB": "64",
    "IM_LOGIC__ACCOUNTS__ACCESS_TTL_S": "7200",
}
"""Settings under which one machine may play thousands of users: no buckets for loopback, cheap hashes, no slow mode."""
