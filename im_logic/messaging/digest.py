"""The digest of what a client said: tells the same request repeated from another one under the same id.

It is made of the decoded fields, never of bytes on the wire, so JSON and protobuf and older encoders agree. An edit or
recall never changes it. The version byte lets the list of fields grow: digests of another version never match, so a new
version may only be introduced where ids of the old one have aged out.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

VERSION: Final = b"\x01"
DIGEST_BYTES: Final = 16


def digest(fields: Iterable[bytes]) -> bytes:
    """BLAKE2b-128 over the version byte and each field with its length in front (4 bytes, big-endian)."""
    said = VERSION
    for field in fields:
        said += len(field).to_bytes(4, "big") + field
    return blake2b(said, digest_size=DIGEST_BYTES).digest()


def number(value: int) -> bytes:
    """A number as a field: decimal, so that width and sign never matter."""
    return b"%d" % value
