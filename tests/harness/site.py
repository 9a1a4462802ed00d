"""Where the clients of a run connect."""

from typing import Protocol


class Site(Protocol):
    """A cluster as its clients see it: one address, whatever is behind it."""

    @property
    def url(self) -> str:
        """For HTTP."""

    @property
    def websocket_url(self) -> str:
        """For frames."""
