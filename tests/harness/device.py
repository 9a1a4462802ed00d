"""A program built on the SDK: everything that its application is shown goes into the history."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from im_sdk import (
    Client,
    ClosedError,
    ConnectionState,
    ConnectionStateChanged,
    ImError,
    MessageReceived,
    MessageSent,
    MessagesUnavailable,
)
from tests.harness.history import History

BACKLOG: Final = 100
TAKEN_S: Final = 5.0


class Device:
    """One client program of an account.

    Args:
        name: unique in the run; a program that is started again on its store keeps its name.
        history: what happens is written there.
    """

    def __init__(self, name: str, history: History) -> None:
        self.name = name
        self._history = history
        self._numbers: dict[int, int] = {}
        self._sends: set[asyncio.Task[None]] = set()
        self._reader: asyncio.Task[None] | None = None
        self._socket: Any = None
        self.client: Client | None = None
        self.raised: list[ImError] = []
        """What sends raised, other than at the program's end."""

    @property
    def idle(self) -> bool:
        """No send waits."""
        return not self._sends and self.client is not None and not self.waiting

    @property
    def online(self) -> Client:
        """The running client."""
        assert self.client is not None
        return self.client

    def run(self, client: Client) -> None:
        """Show what a client is told from here on."""
        self.client = client
        open_socket = client._connect_socket

        async def remember() -> Any:
            self._socket = await open_socket()
            return self._socket

        client._connect_socket = remember
        self._reader = asyncio.create_task(self._show(client), name=f"{self.name}.events")

    @property
    def waiting(self) -> int:
        """Messages that the client took and that are not answered."""
        return _waiting(self.online)

    def offer(self, conversation_id: int) -> None:
        """Send the conversation's next message; beyond 100 under way it is not taken."""
        if len(self._sends) >= BACKLOG or self.client is None:
            return
        number = self._numbers[conversation_id] = self._numbers.get(conversation_id, 0) + 1
        task = asyncio.create_task(self._send(self.client, conversation_id, number), name=f"{self.name}.send")
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def cut(self) -> None:
        """Cut the cable: the connection ends without a word on either side."""
        self._socket._connection.transport.abort()
        await self._socket._connection.wait_closed()

    async def close(self) -> None:
        """End the program once it took what it was offered; what it had under way is unknown."""
        client, self.client = self.online, None
        with suppress(TimeoutError):  # what it did not take is refused, and not sent by its next run
            async with asyncio.timeout(TAKEN_S):
                while _waiting(client) < len(self._sends):
                    await asyncio.sleep(0.01)
        await client.close()
        if self._sends:
            await asyncio.wait(self._sends)
        assert self._reader is not None
        await self._reader

    async def _send(self, client: Client, conversation_id: int, number: int) -> None:
        key = f"{self.name} {conversation_id} {number}"
        told = {
            "device": self.name,
            "user_id": client.user.user_id,
            "conversation_id": conversation_id,
            "key": key,
            "number": number,
        }
        self._history.add("offered", **told)  # type: ignore[arg-type]
        self._history.add("send_invoke", **told)  # type: ignore[arg-type]
        try:
            sent = await client.send(conversation_id, key)
        except ClosedError:
            self._history.add("send_unknown", **told)  # type: ignore[arg-type]
        except ImError as error:
            self.raised.append(error)
            self._history.add("send_fail", **told)  # type: ignore[arg-type]
        else:
            self._history.add("send_ok", **told, seq=sent.seq)  # type: ignore[arg-type]

    async def _show(self, client: Client) -> None:
        user_id = client.user.user_id
        async for event in client.events():
            match event:
                case MessageReceived(message) | MessageSent(message):
                    self._history.add(
                        "shown",
                        device=self.name,
                        user_id=user_id,
                        conversation_id=message.conversation_id,
                        key=message.text or "",
                        seq=message.seq,
                    )
                case MessagesUnavailable(conversation_id, from_seq):
                    self._history.add(
                        "untold", device=self.name, user_id=user_id, conversation_id=conversation_id, seq=from_seq
                    )
                case ConnectionStateChanged(state) if state is not ConnectionState.CLOSED:
                    online = state is ConnectionState.ONLINE
                    self._history.add("connected" if online else "disconnected", device=self.name, user_id=user_id)
                case _:
                    pass


def _waiting(client: Client) -> int:
    engine = client._engine
    return len(engine.session.outbox) if engine is not None else 0
