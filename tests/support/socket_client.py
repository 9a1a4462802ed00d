"""A WebSocket client for tests: both subprotocols, well-formed frames and raw bytes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Self

from google.protobuf import json_format
from google.protobuf.message import Message
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames, ServerFrame, ServerFrames

PROTOBUF: Final = "im.v1.protobuf"
JSON: Final = "im.v1.json"
ANSWER_S: Final = 15.0


class SocketClient:
    """One connection. Answers go to who asked; what the server tells by itself gathers in `pushed`.

    Args:
        connection: an open WebSocket of one of our subprotocols.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._is_text = connection.subprotocol == JSON
        self._answers: dict[int, asyncio.Future[ServerFrame]] = {}
        self._next_id = 1
        self._changed = asyncio.Event()
        self.pushed: list[ServerFrame] = []
        """Frames without request_id, errors among them."""
        self.acked: set[tuple[int, int]] = set()
        """(conversation_id, seq) of every message whose storing was acknowledged."""
        self.close_code: int | None = None
        self.session: ServerFrame = ServerFrame()
        """The answer to Hello."""
        self._reader = asyncio.create_task(self._read())

    async def hello(self, **fields: Any) -> ServerFrame:
        """Say Hello; returns its answer, an error included."""
        frame = ClientFrame()
        json_format.ParseDict(fields, frame.hello)
        frame.hello.SetInParent()
        self.session = await self.ask(frame)
        return self.session

    async def ask(self, frame: ClientFrame) -> ServerFrame:
        """Send a frame and return its answer."""
        frame.request_id = self._next_id
        self._next_id += 1
        answer: asyncio.Future[ServerFrame] = asyncio.get_running_loop().create_future()
        self._answers[frame.request_id] = answer
        await self.tell(frame)
        return await asyncio.wait_for(answer, ANSWER_S)

    async def ask_for(self, operation: str, **fields: Any) -> ServerFrame:
        """The same with the operation's fields as JSON would say them."""
        frame = ClientFrame()
        body: Message = getattr(frame, operation)
        body.SetInParent()
        json_format.ParseDict(fields, body)
        return await self.ask(frame)

    async def tell(self, *frames: ClientFrame) -> None:
        """Send frames in one message, without waiting for answers."""
        if self._is_text:
            said = [json_format.MessageToDict(frame, preserving_proto_field_name=True) for frame in frames]
            await self.send_raw(json.dumps(said[0] if len(said) == 1 else said))
        else:
            await self.send_raw(ClientFrames(frames=frames).SerializeToString())

    async def send_raw(self, data: bytes | str) -> None:
        """Send a message as it is: text for str, binary for bytes."""
        await self._connection.send(data)

    def write_wire(self, data: bytes) -> None:
        """Write bytes past the WebSocket protocol."""
        self._connection.transport.write(data)

    def abort(self) -> None:
        """Cut the cable."""
        self._connection.transport.abort()

    async def closed(self, *, seconds: float = ANSWER_S) -> int:
        """Wait until the server has closed; returns its code."""
        await asyncio.wait_for(asyncio.shield(self._reader), seconds)
        assert self.close_code is not None
        return self.close_code

    async def until(self, condition: Callable[[ServerFrame], bool], *, seconds: float = ANSWER_S) -> ServerFrame:
        """The first pushed frame, past ones included, for which a condition holds."""
        async with asyncio.timeout(seconds):
            while True:
                for frame in self.pushed:
                    if condition(frame):
                        return frame
                self._changed.clear()
                assert not self._reader.done(), f"closed with {self.close_code} while waiting"
                await self._changed.wait()

    async def first_error(self) -> str:
        """The name of the first error without a request_id."""
        return (await self.until(lambda frame: frame.HasField("error"))).error.name

    def messages(self, conversation_id: int) -> list[int]:
        """The seqs pushed of a conversation."""
        return [
            frame.message_push.message.seq
            for frame in self.pushed
            if frame.HasField("message_push") and frame.message_push.message.conversation_id == conversation_id
        ]

    async def close(self) -> None:
        """Leave."""
        await self._connection.close()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        try:
            async for data in self._connection:
                for frame in self._decode(data):
                    if frame.HasField("send"):
                        self.acked.add((frame.send.conversation_id, frame.send.seq))
                    answer = self._answers.pop(frame.request_id, None) if frame.request_id else None
                    if answer is None:
                        self.pushed.append(frame)
                    elif not answer.done():
                        answer.set_result(frame)
                self._changed.set()
        except ConnectionClosed:
            pass
        self.close_code = self._connection.close_code
        self._changed.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError(f"closed with {self.close_code}"))
                answer.exception()  # whoever waits hears of it; nobody may

    def _decode(self, data: bytes | str) -> list[ServerFrame]:
        if isinstance(data, bytes):
            assert not self._is_text
            return list(ServerFrames.FromString(data).frames)
        assert self._is_text
        value = json.loads(data)
        values = value if isinstance(value, list) else [value]
        return [json_format.ParseDict(each, ServerFrame()) for each in values]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@contextlib.asynccontextmanager
async def open_socket(url: str, *, subprotocol: str = PROTOBUF) -> AsyncIterator[SocketClient]:
    """A connection that has not said Hello.

    Args:
        url: `Cluster.socket_url`.
        subprotocol: `PROTOBUF` or `JSON`.
    """
    connection = await connect(
        url, subprotocols=[Subprotocol(subprotocol)], proxy=None, compression=None, ping_interval=None, close_timeout=2
    )
    async with SocketClient(connection) as client:
        yield client


@contextlib.asynccontextmanager
async def open_session(
    url: str, access_token: str, *, subprotocol: str = PROTOBUF, **hello: Any
) -> AsyncIterator[SocketClient]:
    """A connection with an open session."""
    async with open_socket(url, subprotocol=subprotocol) as client:
        answer = await client.hello(access_token=access_token, **hello)
        assert answer.HasField("hello"), answer
        yield client
