"""Drives a session machine with real sockets and real time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from im_sdk._commands import CloseSocket, Command, OpenSocket, RefreshTokens
from im_sdk._credentials import AccessToken
from im_sdk._errors import ImError, UnreachableError
from im_sdk._session import Session
from im_sdk._transport import Connect, Socket

_CLOSE_TIMEOUT_S: Final = 3.0


class Runner:
    """One session on the running loop.

    Args:
        session: the machine; nobody else may empty its events, commands and messages.
        connect: opens a socket.
        refresh: gets a new access token; raises ImError.
        on_commands: takes the commands that are not the runner's own.
        on_progress: called whenever something may have happened, before the timer is set.
    """

    def __init__(
        self,
        session: Session,
        *,
        connect: Connect,
        refresh: Callable[[], Awaitable[AccessToken]],
        on_commands: Callable[[list[Command]], None],
        on_progress: Callable[[], None],
    ) -> None:
        self._session = session
        self._connect = connect
        self._refresh = refresh
        self._on_commands = on_commands
        self._on_progress = on_progress
        self._loop = asyncio.get_running_loop()
        self._tasks: asyncio.TaskGroup | None = None
        self._line: _Line | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._stopping = asyncio.Event()
        self._pumping = False

    def now(self) -> float:
        """The session's time, seconds."""
        return self._loop.time()

    @property
    def stopped(self) -> bool:
        """`stop` was called."""
        return self._stopping.is_set()

    async def run(self) -> None:
        """Run until `stop`; what a defect raises ends it."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self.pump()
                await self._stopping.wait()
                if self._line is not None:
                    self._line.drop()
        finally:
            self._tasks = None
            if self._timer is not None:
                self._timer.cancel()

    def stop(self) -> None:
        """End `run` once the socket is closed."""
        self._stopping.set()

    def pump(self) -> None:
        """Do all that the session wants; to be called after each call of the session."""
        if self._pumping or self._tasks is None:
            return
        self._pumping = True
        try:
            while commands := self._session.take_commands():
                rest = [command for command in commands if not self._obey(command)]
                if rest:
                    self._on_commands(rest)
            self._on_progress()
        finally:
            self._pumping = False
        if self._line is not None:
            self._line.wake()
        self._set_timer()

    def _obey(self, command: Command) -> bool:
        assert self._tasks is not None
        match command:
            case OpenSocket():
                self._line = _Line(self)
                self._tasks.create_task(self._line.run(), name="im-sdk connection")
            case CloseSocket():
                if self._line is not None:
                    self._line.drop()
                    self._line = None
            case RefreshTokens():
                self._tasks.create_task(self._renew(), name="im-sdk token refresh")
            case _:
                return False
        return True

    async def _renew(self) -> None:
        try:
            access = await self._refresh()
        except ImError as error:
            self._session.refresh_failed(error, self.now())
        else:
            self._session.tokens_refreshed(access, self.now())
        self.pump()

    def _set_timer(self) -> None:
        deadline = self._session.deadline()
        if deadline == self._timer_at:
            return
        # A timer that is too early is left alone: it fires, finds nothing due and is set anew.
        if self._timer is not None and self._timer_at <= deadline:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = None if deadline == float("inf") else self._loop.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._timer_at = float("inf")
        self._session.tick(self.now())
        self.pump()

    # what a line reports

    def line_failed(self, line: "_Line", error: ImError) -> None:
        """It did not open."""
        if self._line is line:
            self._line = None
            self._session.socket_failed(self.now(), error)
            self.pump()

    def line_opened(self, line: "_Line") -> None:
        """It is open."""
        if self._line is line:
            self._session.socket_opened(self.now())
            self.pump()

    def line_closed(self, line: "_Line", code: int, reason: str) -> None:
        """It ended by itself."""
        if self._line is line:
            self._line = None
            self._session.socket_closed(self.now(), code, reason)
            self.pump()

    def heard(self, line: "_Line", data: bytes) -> None:
        """A message came."""
        if self._line is line:
            self._session.received(data, self.now())
            self.pump()

    async def open_socket(self) -> Socket:
        """Open a socket."""
        return await self._connect()

    def next_message(self) -> bytes | None:
        """What the session wants to say."""
        return self._session.take_message()


class _Line:
    """One socket, from opening to its end."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._wake = asyncio.Event()
        self._dropped = asyncio.Event()

    def wake(self) -> None:
        """Something may be to be written."""
        self._wake.set()

    def drop(self) -> None:
        """Close after what is written; nothing is reported any more."""
        self._dropped.set()
        self._wake.set()

    async def run(self) -> None:
        """Open, read and write until the end."""
        socket = await self._open()
        if socket is None:
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(socket), name="im-sdk writer")
                self._runner.line_opened(self)
                async for data in socket:
                    self._runner.heard(self, data)
                    if self._dropped.is_set():
                        break
                if not self._dropped.is_set():
                    writer.cancel()
        finally:
            try:
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await socket.close(1000)
            except TimeoutError:
                pass
        self._runner.line_closed(self, *socket.closed())

    async def _open(self) -> Socket | None:
        dropped = asyncio.ensure_future(self._dropped.wait())  # noqa: TID251 - awaited or cancelled right here
        opening = asyncio.ensure_future(self._runner.open_socket())  # noqa: TID251 - as above
        try:
            await asyncio.wait({dropped, opening}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                return None
            return opening.result()
        except ImError as error:
            self._runner.line_failed(self, error)
        except Exception as error:  # noqa: BLE001 - whatever a network stack raises, it is not open
            self._runner.line_failed(self, UnreachableError.because(error))
        finally:
            dropped.cancel()
            opening.cancel()
            await asyncio.wait({dropped, opening})
        return None

    async def _write(self, socket: Socket) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._dropped.is_set():
                await socket.close(1000)
                return
            while not self._dropped.is_set() and (data := self._runner.next_message()) is not None:
                await socket.send(data)
