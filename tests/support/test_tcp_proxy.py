"""The network that tests break: what it passes, holds, delays, cuts and refuses."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from tests.support.tcp_proxy import NO_ANSWERS, NO_REQUESTS, OPEN, REFUSING, SILENT, Passage, TcpProxy

WAIT_S = 0.1


@asynccontextmanager
async def echo(prefix: bytes = b"") -> AsyncIterator[int]:
    """Sends back what comes, `line` behind a prefix; ends when its caller does."""

    class Echo(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._write = transport.write  # type: ignore[attr-defined]

        def data_received(self, data: bytes) -> None:
            self._write(prefix + data if data.startswith(b"line") else data)

    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


class Caller:
    """A connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, line: bytes = b"line\n") -> bytes:
        self.writer.write(line)
        async with asyncio.timeout(5):
            return await self.reader.readline()

    async def hears_nothing(self) -> bool:
        try:
            async with asyncio.timeout(WAIT_S):
                await self.reader.readline()
        except TimeoutError:
            return True
        return False


Call = Callable[[int], Awaitable[Caller]]


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    """Opens connections, and closes them in the end."""
    callers: list[Caller] = []

    async def open_one(port: int) -> Caller:
        callers.append(Caller(*await asyncio.open_connection("127.0.0.1", port)))
        return callers[-1]

    yield open_one
    for caller in callers:
        caller.writer.close()
        with suppress(OSError):
            await caller.writer.wait_closed()


async def test_bytes_pass_both_ways_and_an_end_passes_too(call: Call) -> None:
    proxy = TcpProxy()
    async with echo() as target, proxy.open() as port:
        proxy.targets = [target]
        caller = await call(port)
        line = b"x" * 50_000 + b"\n"
        assert await caller.ask(line) == line
        assert proxy.connections == {target: 1}
        caller.writer.write_eof()
        assert await caller.reader.read() == b""
        caller.writer.close()
        async with asyncio.timeout(5):
            while proxy.connections:
                await asyncio.sleep(0)


async def test_what_is_held_comes_through_in_the_end(call: Call) -> None:
    async with echo() as target:
        proxy = TcpProxy(target)
        async with proxy.open() as port:
            caller = await call(port)
            await caller.ask()
            for passage in (SILENT, NO_REQUESTS, NO_ANSWERS):
                proxy.set_passage(passage)
                caller.writer.write(b"held\n")
                assert await caller.hears_nothing()
                proxy.set_passage(OPEN)
                assert await caller.reader.readline() == b"held\n"


async def test_a_connection_made_in_silence_is_served_after_it(call: Call) -> None:
    async with echo() as target:
        proxy = TcpProxy(target)
        proxy.set_passage(SILENT)
        async with proxy.open() as port:
            caller = await call(port)
            caller.writer.write(b"held\n")
            assert await caller.hears_nothing()
            proxy.set_passage(OPEN)
            assert await caller.reader.readline() == b"held\n"


async def test_a_passage_is_for_one_caller_or_for_everybody(call: Call) -> None:
    names = iter(("one", "other"))
    async with echo() as target:
        proxy = TcpProxy(target, name_caller=lambda _port: next(names))
        async with proxy.open() as port:
            one = await call(port)
            await one.ask()
            proxy.set_passage(SILENT, caller="one")
            other = await call(port)
            await other.ask()
            one.writer.write(b"held\n")
            assert await one.hears_nothing()
            assert await other.ask() == b"line\n"
            proxy.set_passage(OPEN)
            assert await one.reader.readline() == b"held\n"


async def test_a_delay_keeps_the_order_when_it_changes(call: Call) -> None:
    async with echo() as target:
        proxy = TcpProxy(target)
        async with proxy.open() as port:
            caller = await call(port)
            await caller.ask()
            proxy.set_passage(Passage(delay_s=0.1))
            started = time.monotonic()
            caller.writer.write(b"first\n")
            await asyncio.sleep(0.01)
            proxy.set_passage(OPEN)
            caller.writer.write(b"second\n")
            assert [await caller.reader.readline() for _ in range(2)] == [b"first\n", b"second\n"]
            assert time.monotonic() - started >= 0.1


async def test_connections_are_cut_by_target_and_new_ones_are_taken(call: Call) -> None:
    async with echo(b"1 ") as first, echo(b"2 ") as second:
        proxy = TcpProxy(first, second)
        async with proxy.open() as port:
            callers = [await call(port) for _ in range(2)]
            assert {await caller.ask() for caller in callers} == {b"1 line\n", b"2 line\n"}
            assert await proxy.cut(target=second) == 1
            assert await callers[1].reader.read() == b""
            assert await callers[0].ask() == b"1 line\n"
            again = await call(port)
            assert await again.ask() == b"1 line\n"


async def test_a_reset_is_one(call: Call) -> None:
    async with echo() as target:
        proxy = TcpProxy(target)
        async with proxy.open() as port:
            caller = await call(port)
            await caller.ask()
            await proxy.cut(reset=True)
            with pytest.raises(ConnectionResetError):
                await caller.reader.read()


async def test_who_is_refused_is_reset_and_may_come_again_later(call: Call) -> None:
    async with echo() as target:
        proxy = TcpProxy(target)
        async with proxy.open() as port:
            caller = await call(port)
            await caller.ask()
            proxy.set_passage(REFUSING)
            with pytest.raises(ConnectionResetError):
                await caller.reader.read()
            refused = await call(port)
            with pytest.raises(ConnectionResetError):
                await refused.reader.read()
            proxy.set_passage(OPEN)
            again = await call(port)
            assert await again.ask() == b"line\n"


async def test_a_target_that_does_not_accept_is_passed_over(call: Call) -> None:
    async with echo() as gone:
        pass
    async with echo() as target:
        proxy = TcpProxy(gone, target)
        async with proxy.open() as port:
            for _ in range(3):
                caller = await call(port)
                assert await caller.ask() == b"line\n"
            proxy.targets = [gone]
            nobody = await call(port)
            with pytest.raises(ConnectionResetError):
                await nobody.reader.read()
