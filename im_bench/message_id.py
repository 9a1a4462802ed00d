"""Ids for messages: UUIDv7 (RFC 9562), in text form, at the price of formatting one string."""

import secrets
import time


class MessageIds:
    """Ids of one sender: the milliseconds, a counter in the twelve bits after the version, and the sender's own tail."""

    __slots__ = ("_counter", "_tail")

    def __init__(self) -> None:
        self._counter = secrets.randbits(12)
        variant = 0x8000 | secrets.randbits(14)
        self._tail = f"-{variant:04x}-{secrets.randbits(48):012x}"

    def next(self) -> str:
        """A fresh one."""
        milliseconds = time.time_ns() // 1_000_000
        self._counter = self._counter + 1 & 0xFFF
        return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7{self._counter:03x}{self._tail}"
