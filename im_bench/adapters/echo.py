"""A plain WebSocket echo server: the floor. It stores nothing, knows nobody and answers what it is told.

What a workload costs here is what the generator, the sockets and the kernel take; a chat server's own share is what
lies above. An echo is both the ack of a message and its delivery to the other one.
"""

import asyncio
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import ClassVar, Final, cast

import picows
import uvloop

from im_bench.accounts import Account
from im_bench.adapters.abstract import Adapter, AdapterError, Client, Endpoint, Entry, Joined, Mailbox, Outcome

HANDSHAKE_S: Final = 30.0


class EchoConnection(picows.WSListener):
    """One socket; a `Client`. Echoes come in the order of the sends."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._transport: picows.WSTransport | None = None
        self._waiting: deque[tuple[int, Outcome]] = deque()
        self._closing = False
        self.partner: EchoConnection | None = None
        """Whose mailbox is told what comes back: the other one of the pair."""
        self.lost = asyncio.get_running_loop().create_future()

    def send(self, conversation_id: int, message_id: str, text: str, outcome: Outcome, *, attempt: int) -> None:  # noqa: ARG002 - the promise's
        """Send a text to be echoed (see `Client`)."""
        if self._transport is not None and not self.lost.done():
            self._waiting.append((conversation_id, outcome))
            self._transport.send(picows.WSMsgType.TEXT, text.encode())

    async def close(self) -> None:
        """Close the socket."""
        if self._transport is not None and not self.lost.done():
            self._closing = True
            self._transport.send_close(picows.WSCloseCode.OK)
            self._transport.disconnect()
            await self.lost

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Take an echo."""
        if frame.msg_type == picows.WSMsgType.TEXT:
            conversation_id, outcome = self._waiting.popleft()
            outcome.acked(0)
            mailbox = self._mailbox if self.partner is None else self.partner.mailbox
            mailbox.deliver(conversation_id, 0, frame.get_payload_as_utf8_text())
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, _transport: picows.WSTransport) -> None:
        """The socket is gone."""
        if not self.lost.done():
            self.lost.set_result(None)
            self._mailbox.closed(0 if self._closing else 1006)

    @property
    def mailbox(self) -> Mailbox:
        """Where deliveries go."""
        return self._mailbox


class EchoAdapter(Adapter):
    """A server that sends back every text frame."""

    name: ClassVar[str] = "echo"
    keeps_history: ClassVar[bool] = False
    needs_accounts: ClassVar[bool] = False

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._socket_url = f"ws{endpoint.url.removeprefix('http')}"
        self._tls = endpoint.tls()
        self._clients: dict[int, EchoConnection] = {}
        self._conversations = 0

    async def connect(self, account: Account, mailbox: Mailbox, *, source_address: str | None) -> EchoConnection:
        """Open a socket (see `Adapter`)."""
        try:
            made = await picows.ws_connect(
                lambda: EchoConnection(mailbox),
                self._socket_url,
                ssl_context=self._tls,
                websocket_handshake_timeout=HANDSHAKE_S,
                local_addr=(source_address, 0) if source_address else None,
            )
        except (OSError, picows.WSError) as error:
            raise AdapterError(f"no connection to {self._socket_url}: {error}", reason="no connection") from error
        client = self._clients[account.user_id] = cast("EchoConnection", made[1])
        return client

    async def join(self, members: Sequence[Account], client: Client) -> Joined:  # noqa: ARG002 - the promise's
        """Make two people each other's partner (see `Adapter`)."""
        left, right = (self._clients[member.user_id] for member in members)
        left.partner, right.partner = right, left
        self._conversations += 1
        return Joined(self._conversations, 0)

    def history(self, client: Client, joined: Joined) -> AsyncIterator[Entry]:  # noqa: ARG002 - the promise's
        """There is none (see `Adapter`)."""
        raise AdapterError("an echo server keeps no history")


class _Echo(picows.WSListener):
    """The server's side of a socket."""

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Send it back."""
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_bytes())


async def serve(listening: socket.socket) -> None:
    """Echo on a listening socket until cancelled."""
    server = await picows.ws_create_server(lambda _request: _Echo(), sock=listening)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Run as a process: `python -m im_bench.adapters.echo DESCRIPTOR` with a listening socket."""
    uvloop.run(serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
