"""How every `im` command ends; `im bench` documents its own verdicts beside its scenarios."""

from enum import IntEnum
from typing import Final

BUG_ADVICE: Final = "please report it with the lines above, the command and what `im version --verbose` prints"


class ExitCode(IntEnum):
    """A process's exit status."""

    DONE = 0
    USAGE = 1
    """Wrong flags, wrong settings, or a request that makes no sense; the message names each problem."""
    IN_THE_WAY = 3
    """Something else holds what is needed: the data folder, a port."""
    STORAGE = 4
    """The database cannot be used: corrupt, newer than this version, read-only, full."""
    REFUSED = 5
    """The request was understood and is not possible: no such user, the name is taken."""
    UNHEALTHY = 6
    """`im doctor` found something that must be mended."""
    UNREACHABLE = 7
    """No server answered, or it did not acknowledge everything in time."""
    INTERNAL = 70
    """A bug of ours; the log has the traceback, that of a command is printed."""
    INTERRUPTED = 130
    """Ctrl-C, twice."""


class CommandError(Exception):
    """Ends a command with a message for a person and an exit code.

    Args:
        message: what is wrong, one sentence.
        code: the exit status.
        advice: what to do about it; may be empty.
    """

    def __init__(self, message: str, *, code: ExitCode, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.advice = advice
