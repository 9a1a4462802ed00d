"""A light connection for tests: the load tester's own, with whoever wants to know as its mailbox."""

from im_bench.adapters.abstract import Mailbox
from im_bench.adapters.im.connection import Connection, SendFrame, SharedFrames
from im_proto.v1.session_pb2 import HelloRequest


class Unread:
    """A mailbox that nobody looks into."""

    def deliver(self, conversation_id: int, seq: int, text: str) -> None:
        """A message was pushed."""

    def head(self, conversation_id: int, seq: int) -> None:
        """A log grew."""

    def resync(self) -> None:
        """The client fell behind."""

    def closed(self, code: int) -> None:
        """The connection ended."""


async def open_light(
    websocket_url: str, *, access_token: str, device_id: str, mailbox: Mailbox | None = None
) -> Connection:
    """Connect and say Hello; received messages are not confirmed.

    Raises:
        AdapterError: there is no connection, or Hello was refused.
    """
    told = mailbox if mailbox is not None else Unread()
    return await Connection.open(
        websocket_url,
        HelloRequest(access_token=access_token, device_id=device_id, client_version="test"),
        make=lambda: Connection(told, None, send_frame=SendFrame(), shared_frames=SharedFrames()),
        tls=None,
        source_address=None,
    )
