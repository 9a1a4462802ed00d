"""Why a server could not be used, as far as it tells a person what to do about it."""

from enum import StrEnum


class Trouble(StrEnum):
    """What is the matter."""

    NO_SERVER = "no server"
    """Nothing answered."""
    LIMITED = "limited"
    """Its limits refuse this machine."""
    OTHER = "other"
