"""Why a server could not be used, as far as it tells a person what to do about it."""

from enum import StrEnum


class Trouble(StrEnum):
    """What is the matter."""

    NO_SERVER = "no server"
    """Nothing answered."""
    LIMITED = "limited"
    """Its limits refuse this machine."""
    OTHER = "other"


class TroubledError(Exception):
    """An error that knows what is the matter.

    Args:
        message: why, for a person.
        trouble: with the server.
    """

    def __init__(self, message: str, trouble: Trouble = Trouble.OTHER) -> None:
        super().__init__(message)
        self.trouble = trouble
