"""Ids as clients make them."""

import os
import time
import uuid


def uuid7(*, time_ms: int | None = None) -> str:
    """A UUIDv7 in text form.

    Args:
        time_ms: when it was made, milliseconds since the epoch; None: now.
    """
    moment = int(time.time() * 1000) if time_ms is None else time_ms
    value = bytearray(moment.to_bytes(6, "big") + os.urandom(10))
    value[6] = value[6] & 0x0F | 0x70
    value[8] = value[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(value)))
