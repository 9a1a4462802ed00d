"""The bits of `message.flags`."""

from typing import Final

from sqlalchemy import ColumnElement

RECALLED: Final = 1
PURGED: Final = 2
COUNTABLE: Final = 4


def has(flags: ColumnElement[int], bit: int) -> ColumnElement[bool]:
    """Whether the bit is set."""
    return flags.bitwise_and(bit) != 0
