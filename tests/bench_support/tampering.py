"""Adapters that spoil what a good server did, each in one way: a load tester must see every one of them.

They are named by their place (`tests.bench_support.tampering:Losing`), as anybody's own adapter is.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import ClassVar

from im_bench.accounts import Account
from im_bench.adapters.abstract import AdapterError, Client, Entry, Joined, Mailbox, Outcome
from im_bench.adapters.im.adapter import ImAdapter
from im_bench.adapters.im.connection import Connection

VICTIM = 3
"""The number of the message that is tampered with, in every lane."""


def number_of(text: str) -> int:
    """A message's number in its lane."""
    return int(text.split(" ")[2])


class Honest:
    """A mailbox that passes everything on; others spoil `deliver`."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def deliver(self, conversation_id: int, seq: int, text: str) -> None:
        self._mailbox.deliver(conversation_id, seq, text)

    def head(self, conversation_id: int, seq: int) -> None:
        self._mailbox.head(conversation_id, seq)

    def resync(self) -> None:
        self._mailbox.resync()

    def closed(self, code: int) -> None:
        self._mailbox.closed(code)


class Tampering(ImAdapter):
    """Our gateway, seen through a spoiled mailbox."""

    mailbox_type: ClassVar[type[Honest]] = Honest

    async def connect(self, account: Account, mailbox: Mailbox, *, source_address: str | None) -> Connection:
        return await super().connect(account, self.mailbox_type(mailbox), source_address=source_address)


class _Dropped(Honest):
    def deliver(self, conversation_id: int, seq: int, text: str) -> None:
        if number_of(text) != VICTIM:
            super().deliver(conversation_id, seq, text)


class Unpushed(Tampering):
    """One message of each lane is never pushed; it is in the history."""

    mailbox_type = _Dropped


class Unreadable(Tampering):
    """The history cannot be read."""

    async def history(self, client: Client, joined: Joined) -> AsyncIterator[Entry]:
        raise AdapterError("closed with 4003", reason="closed with 4003")
        yield  # an iterator, as its caller expects


class Forgetting(Tampering):
    """One message of each lane is pushed, and not in the history."""

    async def history(self, client: Client, joined: Joined) -> AsyncIterator[Entry]:
        async for entry in super().history(client, joined):
            if number_of(entry.text) != VICTIM:
                yield entry


class Losing(Forgetting):
    """One message of each lane is neither pushed nor in the history."""

    mailbox_type = _Dropped


class _Twice(Honest):
    def deliver(self, conversation_id: int, seq: int, text: str) -> None:
        super().deliver(conversation_id, seq, text)
        if number_of(text) == VICTIM:
            super().deliver(conversation_id, seq + 100_000, text)


class Doubling(Tampering):
    """One message of each lane has two places in the log."""

    mailbox_type = _Twice


class _Repeated(Honest):
    def deliver(self, conversation_id: int, seq: int, text: str) -> None:
        super().deliver(conversation_id, seq, text)
        super().deliver(conversation_id, seq, text)


class Repeating(Tampering):
    """Every entry is pushed twice under its seq, which clients drop."""

    mailbox_type = _Repeated


class _Swapped(Honest):
    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(mailbox)
        self._held: dict[tuple[int, str], tuple[int, str]] = {}

    def deliver(self, conversation_id: int, seq: int, text: str) -> None:
        lane = (conversation_id, text.split(" ")[1])
        if number_of(text) == VICTIM:
            self._held[lane] = (seq, text)
            return
        super().deliver(conversation_id, seq, text)
        if (held := self._held.pop(lane, None)) is not None:
            super().deliver(conversation_id, *held)


class Swapping(Tampering):
    """One message of each lane is pushed behind the next one."""

    mailbox_type = _Swapped


class _LateConnection:
    """A client whose every send costs the generator three milliseconds of its own."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def send(self, conversation_id: int, message_id: str, text: str, outcome: Outcome, *, attempt: int) -> None:
        until = time.thread_time() + 0.003
        while time.thread_time() < until:
            pass
        self.client.send(conversation_id, message_id, text, outcome, attempt=attempt)

    async def close(self) -> None:
        await self.client.close()


class Loafing(ImAdapter):
    """The generator is the bottleneck."""

    async def connect(self, account: Account, mailbox: Mailbox, *, source_address: str | None) -> Client:  # type: ignore[override]
        return _LateConnection(await super().connect(account, mailbox, source_address=source_address))

    async def join(self, members: list[Account], client: Client) -> Joined:  # type: ignore[override]
        assert isinstance(client, _LateConnection)
        return await super().join(members, client.client)

    def history(self, client: Client, joined: Joined) -> AsyncIterator[Entry]:
        assert isinstance(client, _LateConnection)
        return super().history(client.client, joined)


class Crashing(ImAdapter):
    """The generator process dies while it drives."""

    def begin(self) -> None:
        super().begin()
        asyncio.get_running_loop().call_later(1.5, os._exit, 9)
