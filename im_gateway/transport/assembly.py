"""Putting fragmented WebSocket messages together, with a cap: rules only."""

from enum import IntEnum


class Opcode(IntEnum):
    """Data opcodes of RFC 6455."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2


class ViolationError(Exception):
    """The peer broke RFC 6455.

    Args:
        code: the close code it is told.
        reason: for people.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class TooLargeError(Exception):
    """The message grew over the cap."""


NORMAL = 1000
PROTOCOL_ERROR = 1002
INVALID_TEXT = 1007
_WIRE_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})


class Assembly:
    """One message under way.

    Args:
        max_bytes: cap of a whole message.
    """

    __slots__ = ("_data", "_max_bytes", "_opcode")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._opcode = Opcode.CONTINUATION
        self._data = bytearray()  # one buffer, so that a thousand empty fragments cost nothing

    def feed(self, opcode: int, payload: bytes, *, final: bool) -> tuple[Opcode, bytes] | None:
        """Take a frame and return the message it ends.

        Raises:
            ViolationError: a continuation of nothing, or a new message inside another.
            TooLargeError: the message is over the cap.
        """
        if opcode == Opcode.CONTINUATION:
            if self._opcode == Opcode.CONTINUATION:
                raise ViolationError(PROTOCOL_ERROR, "continuation of nothing")
        else:
            if self._opcode != Opcode.CONTINUATION:
                raise ViolationError(PROTOCOL_ERROR, "a new message inside a fragmented one")
            self._opcode = Opcode(opcode)
        if len(self._data) + len(payload) > self._max_bytes:
            raise TooLargeError
        self._data += payload
        if not final:
            return None
        message = (self._opcode, bytes(self._data))
        self._opcode = Opcode.CONTINUATION
        self._data = bytearray()
        return message


def decode_text(data: bytes) -> str:
    """The text of a whole message.

    Raises:
        ViolationError: it is not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ViolationError(INVALID_TEXT, "not UTF-8") from error


def close_answer(code: int | None) -> int:
    """The code to answer a close with: the peer's own, or PROTOCOL_ERROR for one that may not be on the wire.

    Args:
        code: what the peer said; None: nothing.
    """
    if code is None:
        return NORMAL
    if code in _WIRE_CODES or code >= 3000:
        return code
    return PROTOCOL_ERROR
