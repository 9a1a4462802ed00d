"""UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits."""

from typing import Final
from uuid import UUID

RANDOM_BYTES: Final = 10

_VERSION: Final = 7 << 76
_VARIANT: Final = 2 << 62
_RANDOM_MASK: Final = (0xFFF << 64) | ((1 << 62) - 1)
_MAX_TIME_MS: Final = (1 << 48) - 1


def uuid7(now_ms: int, random_bytes: bytes) -> UUID:
    """A UUIDv7 of that time.

    Args:
        now_ms: milliseconds since the epoch.
        random_bytes: 10 bytes from a good source (`secrets.token_bytes(10)`); 74 of their bits are used.

    Raises:
        ValueError: another number of bytes, or a time outside of 48 bits.
    """
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"uuid7 takes {RANDOM_BYTES} random bytes, not {len(random_bytes)}")
    if not 0 <= now_ms <= _MAX_TIME_MS:
        raise ValueError(f"uuid7 takes milliseconds of 48 bits, not {now_ms}")
    return UUID(int=now_ms << 80 | _VERSION | _VARIANT | int.from_bytes(random_bytes) & _RANDOM_MASK)


def uuid7_time_ms(uuid: UUID) -> int:
    """When a UUIDv7 was made, by its maker's clock, in milliseconds since the epoch.

    Raises:
        ValueError: it is of another version.
    """
    if uuid.version != 7:
        raise ValueError(f"not a UUIDv7: {uuid}")
    return uuid.int >> 80
