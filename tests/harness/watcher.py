"""A device whose network a test can cut or take away, and what its application was shown of one conversation."""

import asyncio
from typing import Any

from im_sdk import (
    ChangeKind,
    Client,
    Event,
    MessageChanged,
    MessageReceived,
    MessageSent,
    NoticeReceived,
    Tokens,
    UnreachableError,
)
from tests.harness.workload import FOLLOW_ALL


class Watcher:
    """One program of an account.

    Args:
        url: the cluster's.
        name: for messages of a failing test.
    """

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.client = Client(url, settings=FOLLOW_ALL)
        self.events: list[Event] = []
        self.reachable = True
        self._socket: Any = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self, tokens: Tokens) -> None:
        """Connect."""
        open_socket = self.client._connect_socket

        async def remember() -> Any:
            if not self.reachable:
                raise UnreachableError.because("the test took the network away")
            self._socket = await open_socket()
            return self._socket

        self.client._connect_socket = remember
        await self.client.use(tokens)
        self._reader = asyncio.create_task(self._watch(), name=f"{self.name}.events")
        await self.client.connect()

    async def close(self) -> None:
        """End the program."""
        await self.client.close()
        assert self._reader is not None
        await self._reader

    def cut(self) -> None:
        """Cut the cable."""
        self._socket._connection.transport.abort()

    def seqs(self, conversation_id: int) -> list[int]:
        """The entries given to the application, in the order of giving; changes by their own place."""
        found = []
        for event in self.events:
            match event:
                case MessageReceived(message) | MessageSent(message) | NoticeReceived(message):
                    if message.conversation_id == conversation_id:
                        found.append(message.seq)
                case MessageChanged() if event.conversation_id == conversation_id:
                    found.append(event.entry_seq)
                case _:
                    pass
        return found

    def texts(self, conversation_id: int) -> dict[int, str | None]:
        """How each text reads on this screen now; None: taken back."""
        found: dict[int, str | None] = {}
        for event in self.events:
            match event:
                case MessageReceived(message) | MessageSent(message) if message.conversation_id == conversation_id:
                    found[message.seq] = message.text
                case MessageChanged() if event.conversation_id == conversation_id:
                    found[event.seq] = event.text if event.change is ChangeKind.EDITED else None
                case _:
                    pass
        return found

    async def _watch(self) -> None:
        async for event in self.client.events():
            self.events.append(event)
