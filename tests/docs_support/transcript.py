"""Replaying a printed conversation over im.v1.json.

    ada> {"request_id": "1", …}     what the client writes; a name's first line opens its connection
    ada< {"request_id": "1", …}     what comes, sooner or later
    ada< closed 4500                 the server closes

Indented lines go on; lines that begin with # are comments.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

import websockets
from websockets.typing import Subprotocol

from tests.docs_support.bindings import Bindings, parse

WAIT_S = 10.0
_LINE = re.compile(r"^(\w+)([<>]) (.*)$")


class Line(NamedTuple):
    """A line of a transcript."""

    who: str
    direction: Literal["<", ">"]
    text: str


def lines_of(text: str) -> Iterator[Line]:
    """The lines of a transcript, continued ones joined."""
    pending: Line | None = None
    for raw in text.splitlines():
        if not raw.strip() or raw.startswith("#"):
            continue
        if raw[0].isspace():
            assert pending is not None, raw
            pending = pending._replace(text=f"{pending.text} {raw.strip()}")
            continue
        if pending is not None:
            yield pending
        match = _LINE.match(raw)
        assert match is not None, f"not a line of a transcript: {raw}"
        pending = Line(match[1], ">" if match[2] == ">" else "<", match[3])
    if pending is not None:
        yield pending


class Peers:
    """The connections of a replay, by name; they live over the blocks of a page."""

    def __init__(self, url: str, bindings: Bindings) -> None:
        self._url = f"ws{url.removeprefix('http')}/ws"
        self._bindings = bindings
        self._open: dict[str, Peer] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def replay(self, text: str) -> None:
        """Play a block; raises AssertionError at the first line that is not so."""
        for line in lines_of(text):
            peer = self._open.get(line.who)
            if peer is None or (line.direction == ">" and peer.closed):
                connection = await self._stack.enter_async_context(
                    websockets.connect(self._url, subprotocols=[Subprotocol("im.v1.json")])
                )
                peer = self._open[line.who] = Peer(connection)
            if line.direction == ">":
                await peer.connection.send(self._bindings.real(line.text))
            elif line.text.startswith("closed"):
                await peer.await_close(int(line.text.split()[1]))
            else:
                await peer.await_frame(parse(line.text), self._bindings)


class Peer:
    """One connection."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection
        self.closed = False
        self._passed: list[Any] = []

    async def await_frame(self, printed: Any, bindings: Bindings) -> None:
        """Take frames until the printed one is there."""
        for frame in self._passed:
            if bindings.matches(printed, frame):
                self._passed.remove(frame)
                return
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    message = json.loads(await self.connection.recv())
                    frames = message if isinstance(message, list) else [message]
                    found = False
                    for frame in frames:
                        if not found and bindings.matches(printed, frame):
                            found = True
                        else:
                            self._passed.append(frame)
                    if found:
                        return
        except (TimeoutError, websockets.ConnectionClosed) as error:
            came = "\n".join(json.dumps(frame) for frame in self._passed)
            raise AssertionError(f"expected\n{json.dumps(printed, ensure_ascii=False)}\nthere came\n{came}") from error

    async def await_close(self, code: int) -> None:
        """Take frames until the connection is closed with `code`."""
        closed: websockets.ConnectionClosed | None = None
        async with asyncio.timeout(WAIT_S):
            while closed is None:
                try:
                    self._passed.append(json.loads(await self.connection.recv()))
                except websockets.ConnectionClosed as error:
                    closed = error
        assert closed.rcvd is not None
        assert closed.rcvd.code == code
        self.closed = True
