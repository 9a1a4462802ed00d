"""Reading a request's head: rules only.

Just enough of HTTP/1.1 to tell a WebSocket handshake from the rest and to judge it; anything else is parsed again,
strictly, by the HTTP protocol it is handed to.
"""

from collections.abc import Mapping
from dataclasses import dataclass

END = b"\r\n\r\n"


class HeadInvalidError(Exception):
    """The bytes are not a request's head."""


@dataclass(frozen=True, slots=True)
class Head:
    """A request's head."""

    method: str
    path: str
    """Without the query."""
    version: str
    headers: Mapping[str, str]
    """By lower-case name; repeated ones joined with a comma."""

    def tokens(self, name: str) -> list[str]:
        """The comma-separated values of a header, in order, as they were written."""
        return [token.strip() for token in self.headers.get(name, "").split(",") if token.strip()]

    @property
    def wants_websocket(self) -> bool:
        """Whether it asks to become a WebSocket."""
        return "websocket" in {token.lower() for token in self.tokens("upgrade")} and "upgrade" in {
            token.lower() for token in self.tokens("connection")
        }


def parse_head(data: bytes) -> Head:
    """The head in `data`, which ends before the empty line.

    Raises:
        HeadInvalidError: a malformed request line or header.
    """
    lines = data.decode("latin-1").split("\r\n")
    request_line = lines[0].split(" ")
    if len(request_line) != 3 or not request_line[2].startswith("HTTP/1."):
        raise HeadInvalidError("malformed request line")
    method, target, version = request_line
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():  # a folded line starts with a blank, too
            raise HeadInvalidError("malformed header")
        name = name.lower()
        value = value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Head(method=method, path=target.partition("?")[0], version=version, headers=headers)
