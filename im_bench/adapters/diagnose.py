"""What is the matter with a server to which a connection failed."""

import errno
from typing import Final

from im_bench.adapters.abstract import AdapterError
from im_bench.trouble import Trouble

LIMITS: Final = frozenset({"RATE_LIMITED", "OVERLOADED", "handshake refused"})
"""Reasons of an `AdapterError`: the server keeps off who asks too often."""
OURS: Final = frozenset({errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.EMFILE, errno.ENFILE})
"""What this machine lacked: an address or port to connect from, a file descriptor."""


def diagnose(error: BaseException) -> Trouble:
    """What is the matter when a connection failed so."""
    reason = error.reason if isinstance(error, AdapterError) else ""
    if reason in LIMITS:
        return Trouble.LIMITED
    cause = error.__cause__ if reason == "no connection" else error
    if isinstance(cause, OSError) and cause.errno in OURS:
        return Trouble.OTHER
    return Trouble.NO_SERVER if reason == "no connection" or isinstance(error, ConnectionError) else Trouble.OTHER
