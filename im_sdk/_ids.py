"""Ids that a client makes."""

import random

_RANDOM_BITS = 74


def uuid7(now_ms: int, source: random.Random) -> str:
    """A UUIDv7 (RFC 9562) in text form.

    Args:
        now_ms: milliseconds since the epoch, by the server's clock as well as it is known.
        source: gives the 74 random bits; `random.SystemRandom` outside of tests.
    """
    bits = source.getrandbits(_RANDOM_BITS)
    value = (now_ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
