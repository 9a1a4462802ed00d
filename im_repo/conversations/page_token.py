"""The token of a page of heads: where the last page ended, and the moment the first one began."""

from dataclasses import dataclass
from typing import Final, Self

from im_infra import error_table
from im_infra.errors import ImError

_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class PageToken:
    """A place in the list of heads, newest first."""

    last_time: int
    """Of the last head given."""
    conversation_id: int
    """Of the last head given."""
    now_time: int
    """The database's time before the first page: every page tells the same one."""
    clock_generation: int
    """Its generation."""

    def encode(self) -> str:
        """As the contract carries it."""
        return f"{self.last_time}.{self.conversation_id}.{self.now_time}.{self.clock_generation}"

    @classmethod
    def decode(cls, token: str) -> Self:
        """Read a token.

        Raises:
            ImError: PAGE_TOKEN_INVALID.
        """
        parts = token.split(".")
        if len(parts) != _PARTS or not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
            raise ImError(error_table.PAGE_TOKEN_INVALID)
        return cls(*map(int, parts))
