"""What a presented refresh token means: a rule over plain values.

Each token is good once. Its immediate predecessor may come again for a short while, since an answer may be lost and two
tabs may ask at once; it is answered the same successor. Whatever else was once good is reuse: somebody has a copy, and
nobody can tell who, so the whole family ends.

A token that was never issued is no reuse. It ends nothing, or whoever can guess a session's id could end the session.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Rotation(Enum):
    """What to do about a presented token."""

    ROTATE = auto()
    """It is the one in force: the next one takes its place."""
    REPEAT = auto()
    """It is the predecessor, in time: the same successor again."""
    REUSE = auto()
    """It was good once: end the session."""
    UNKNOWN = auto()
    """It was never issued, has expired, or its successor is not what this request derived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A session's refresh tokens as they lie in the database."""

    live: bool
    """Neither ended nor expired."""
    counter: int
    """Of the token in force."""
    current_hash: bytes
    previous_hash: bytes
    """Of its immediate predecessor."""
    rotated_time: int
    """When it came into force, milliseconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A token that came, and the successor derived from it."""

    counter: int
    secret_hash: bytes
    next_hash: bytes


def decide(family: Family, presented: Presented, *, now: int, grace_ms: int) -> Rotation:
    """Decide about a presented token.

    Args:
        family: as stored, under its lock.
        presented: what came.
        now: milliseconds since the epoch.
        grace_ms: how long the predecessor is answered the same successor.
    """
    age = family.counter - presented.counter
    if not family.live or age < 0:
        return Rotation.UNKNOWN
    if age == 0:
        return Rotation.ROTATE if presented.secret_hash == family.current_hash else Rotation.UNKNOWN
    if age > 1:
        return Rotation.REUSE  # its hash is not kept any more; counters below the one in force were all issued
    if presented.secret_hash != family.previous_hash:
        return Rotation.UNKNOWN
    if now - family.rotated_time > grace_ms:
        return Rotation.REUSE
    return Rotation.REPEAT if presented.next_hash == family.current_hash else Rotation.UNKNOWN
