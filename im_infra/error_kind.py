"""The few kinds of failure that code branches on; every reason of the error table has one."""

from enum import Enum


class Kind(Enum):
    """What went wrong, by what can be done about it."""

    INVALID = "INVALID"
    """The request is wrong; sending it again cannot help."""
    DENIED = "DENIED"
    """The caller may not."""
    NOT_FOUND = "NOT_FOUND"
    """There is no such thing, or the caller may not know of it."""
    CONFLICT = "CONFLICT"
    """The state forbids it."""
    EXHAUSTED = "EXHAUSTED"
    """A limit; nothing was done; later it may pass."""
    UNAVAILABLE = "UNAVAILABLE"
    """The server cannot now; unless said otherwise the outcome is unknown."""
    INTERNAL = "INTERNAL"
    """A bug of ours."""
