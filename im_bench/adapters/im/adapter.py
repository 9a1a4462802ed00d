"""The adapter for our gateway."""

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from typing import Final, cast

from im_bench.accounts import Account
from im_bench.adapters.abstract import Adapter, Client, Endpoint, Entry, Joined, Mailbox
from im_bench.adapters.im.connection import Connection, SendFrame, SharedFrames
from im_bench.adapters.im.receipts import Receipts
from im_proto.v1.conversation_pb2 import OpenDirectRequest
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import PullRequest
from im_proto.v1.session_pb2 import HelloRequest

PAGE: Final = 200
CLIENT_VERSION: Final = "im-bench"


class ImAdapter(Adapter):
    """Our gateway, over WebSocket."""

    name = "im"

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._socket_url = f"ws{endpoint.url.removeprefix('http')}/ws"
        self._tls = endpoint.tls()
        self._receipts = Receipts()
        self._send_frame, self._shared_frames = SendFrame(), SharedFrames()
        self._running = ExitStack()

    def begin(self) -> None:
        """Start confirming what is received."""
        self._running.enter_context(self._receipts.running())

    async def end(self) -> None:
        """Stop it."""
        self._running.close()

    async def connect(self, account: Account, mailbox: Mailbox, *, source_address: str | None) -> Connection:
        """Connect and say Hello (see `Adapter`)."""
        hello = HelloRequest(
            access_token=account.access_token, device_id=account.device_id, client_version=CLIENT_VERSION
        )
        return await self.open(hello, mailbox, source_address=source_address, receipts=True)

    async def open(
        self, hello: HelloRequest, mailbox: Mailbox, *, source_address: str | None, receipts: bool
    ) -> Connection:
        """Connect with a Hello of the scenario's own making.

        Raises:
            AdapterError: it cannot be opened.
        """

        def make() -> Connection:
            return Connection(
                mailbox,
                self._receipts if receipts else None,
                send_frame=self._send_frame,
                shared_frames=self._shared_frames,
            )

        return await Connection.open(self._socket_url, hello, make=make, tls=self._tls, source_address=source_address)

    async def join(self, members: Sequence[Account], client: Client) -> Joined:
        """Find or make the private chat of two people (see `Adapter`)."""
        connection = cast("Connection", client)
        own = connection.hello.user.user_id
        other = next((member.user_id for member in members if member.user_id != own), own)
        answer = await connection.call(ClientFrame(open_direct=OpenDirectRequest(user_id=other)))
        head = answer.open_direct.head
        return Joined(head.conversation.conversation_id, head.max_seq)

    async def history(self, client: Client, joined: Joined) -> AsyncIterator[Entry]:
        """Pull everything after the head that the run found (see `Adapter`)."""
        connection = cast("Connection", client)
        next_seq = joined.head_seq + 1
        while True:
            pull = PullRequest(conversation_id=joined.conversation_id, from_seq=next_seq, limit=PAGE)
            page = (await connection.call(ClientFrame(pull=pull))).pull
            for message in page.messages:
                yield Entry(message.seq, message.content.text.text)
            if not page.more or not page.messages:
                return
            next_seq = page.messages[-1].seq + 1
