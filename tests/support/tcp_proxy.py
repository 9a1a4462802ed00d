"""A network that fails on command, between callers and ports of loopback; with several targets also a load balancer."""

import asyncio
import math
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, cast

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER, on, 0 s: a close is a reset."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What passes between a caller and the targets, on connections that are open and on new ones.

    What does not pass is held, an end too, and comes through when it may: as it would be sent again on a real network.
    """

    there: bool = True
    """What a caller sends."""
    back: bool = True
    """What comes back."""
    delay_s: float = 0.0
    """Each way."""
    refuses: bool = False
    """Open connections are reset, and new ones as soon as they are made."""


OPEN: Final = Passage()
SILENT: Final = Passage(there=False, back=False)
NO_REQUESTS: Final = Passage(there=False)
NO_ANSWERS: Final = Passage(back=False)
REFUSING: Final = Passage(refuses=True)


class TcpProxy:
    """Passes bytes on, until it is told not to.

    Args:
        targets: the ports behind it; each new connection goes to the next one that accepts.
        host: where it listens, an address of loopback.
        name_caller: tells who calls from a port of loopback; by itself it knows nobody.
    """

    def __init__(
        self, *targets: int, host: str = "127.0.0.1", name_caller: Callable[[int], str] = lambda _port: ""
    ) -> None:
        self.targets = list(targets)
        """A balancer's operator takes them out and puts them in again; open connections stay."""
        self._host = host
        self._name_caller = name_caller
        self._passages: dict[str, Passage] = {}
        self._everybody = OPEN
        self._joints: set[_Joint] = set()
        self._turn = 0

    @property
    def connections(self) -> Counter[int]:
        """How many are open, by target."""
        return Counter(joint.target for joint in self._joints)

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator[int]:
        """Listen while the context is open; gives the port, which is a free one for 0."""
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(self._accept, self._host, port, backlog=4096)
        try:
            yield listener.sockets[0].getsockname()[1]
        finally:
            listener.close()
            await self.cut()
            await listener.wait_closed()

    def set_passage(self, passage: Passage, *, caller: str | None = None) -> None:
        """From now on.

        Args:
            passage: what passes.
            caller: for that one; None: for everybody, whatever was said of single ones.
        """
        if caller is None:
            self._everybody, self._passages = passage, {}
        elif passage == self._everybody:
            self._passages.pop(caller, None)
        else:
            self._passages[caller] = passage
        for joint in list(self._joints):
            joint.obey(self.passage_of(joint))

    def passage_of(self, joint: "_Joint") -> Passage:
        """What passes on a connection; whose it is is asked only where that matters."""
        if not self._passages:
            return self._everybody
        if joint.caller is None:
            joint.caller = self._name_caller(joint.caller_port)
        return self._passages.get(joint.caller, self._everybody)

    async def cut(self, *, target: int | None = None, reset: bool = False) -> int:
        """End connections at once, on both sides; new ones are taken.

        Args:
            target: only those to this port.
            reset: with a reset instead of an orderly end.

        Returns:
            How many there were.
        """
        joints = [joint for joint in self._joints if target in {None, joint.target}]
        for joint in joints:
            joint.end(reset=reset)
        await asyncio.sleep(0)  # the transports close in the loop's next turn
        return len(joints)

    def _accept(self) -> asyncio.Protocol:
        return _Joint(self, self._joints).front

    def next_targets(self) -> list[int]:
        """Where the next connection goes: the first of these that accepts."""
        turn, self._turn = self._turn, self._turn + 1
        return [self.targets[(turn + step) % len(self.targets)] for step in range(len(self.targets))]


class _Joint:
    """A caller's connection and the one to a target that was made for it."""

    def __init__(self, proxy: TcpProxy, joints: "set[_Joint]") -> None:
        self._proxy = proxy
        self._joints = joints
        self._passage = OPEN
        self._connecting: asyncio.Task[None] | None = None
        self._ends = 0
        self.caller_port = 0
        self.caller: str | None = None
        """Who called; None: that was not asked yet."""
        self.target = 0
        self.front = _Side(self)
        self.back = _Side(self)
        self.front.other, self.back.other = self.back, self.front

    def made(self, side: "_Side") -> None:
        """One of the two connections is there."""
        if side is self.front:
            self._joints.add(self)
            assert side.transport is not None
            self.caller_port = side.transport.get_extra_info("peername")[1]
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
        self.obey(self._proxy.passage_of(self))

    def obey(self, passage: Passage) -> None:
        """Let pass what may."""
        self._passage = passage
        if passage.refuses:
            self.end(reset=True)
        self.front.set_delay(passage.delay_s)
        self.back.set_delay(passage.delay_s)
        self.front.hold(self.back.transport is None or not passage.there)
        self.back.hold(not passage.back)

    def half_ended(self) -> None:
        """One direction is at its end; after the second nothing is left but to close, when all is written."""
        self._ends += 1
        if self._ends == 2:
            for side in (self.front, self.back):
                if side.transport is not None:
                    side.transport.close()

    def end(self, *, reset: bool = False) -> None:
        """End both."""
        self._joints.discard(self)
        if self._connecting is not None:
            self._connecting.cancel()
        self.front.abort(reset=reset)
        self.back.abort(reset=reset)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        for port in self._proxy.next_targets():
            try:
                self.target = port
                await loop.create_connection(lambda: self.back, "127.0.0.1", port)
            except OSError:
                continue
            return
        self.end(reset=True)


class _Side(asyncio.Protocol):
    """One of the two connections; what it reads is written on the other."""

    def __init__(self, joint: _Joint) -> None:
        self._joint = joint
        self.other: _Side = self
        self.transport: asyncio.Transport | None = None
        self._held = False
        self._full = False
        self._delay_s = 0.0
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._joint.made(self)

    def data_received(self, data: bytes) -> None:
        self._later(lambda: self.other.write(data))

    def eof_received(self) -> bool:
        self._later(self.other.write_eof)
        return True  # the other direction goes on

    def connection_lost(self, error: Exception | None) -> None:
        if error is None:
            self._later(self._joint.end)
        else:
            self._joint.end(reset=isinstance(error, ConnectionResetError))

    def pause_writing(self) -> None:
        self.other.set_full(full=True)

    def resume_writing(self) -> None:
        self.other.set_full(full=False)

    def write(self, data: bytes) -> None:
        """Write what the other one read."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def write_eof(self) -> None:
        """Write the end that the other one read."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write_eof()
        self._joint.half_ended()

    def set_delay(self, delay_s: float) -> None:
        """Of what is read from now on."""
        self._delay_s = delay_s

    def hold(self, held: bool) -> None:
        """Leave what comes where it is."""
        self._held = held
        self._read()

    def set_full(self, *, full: bool) -> None:
        """The other one takes no more for a moment."""
        self._full = full
        self._read()

    def abort(self, *, reset: bool) -> None:
        """End it, with what was not written."""
        if self.transport is None:
            return
        if reset and not self.transport.is_closing():
            connection: socket.socket = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def _read(self) -> None:
        if self.transport is None:
            return
        if self._held or self._full:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _later(self, act: Callable[[], None]) -> None:
        """In the order of reading, whatever becomes of the delay."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        due = max(now + self._delay_s, math.nextafter(self._due, math.inf))
        if due <= now:
            act()
        else:
            self._due = due
            loop.call_at(due, act)
