"""One generator process, as the coordinator holds it."""

import asyncio
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self

from im_bench.run.channel import Channel, ChannelClosedError
from im_bench.run.messages import Assignment, BeginStep, Failed, Stop
from im_bench.trouble import TroubledError

STOP_S: Final = 15.0


class RunFailedError(TroubledError):
    """The run did not take place; the message says why, for a person."""


class GeneratorBugError(Exception):
    """A generator process failed in a way it should not; the message is its traceback."""


class Generator:
    """A running process. Use `started` to make it."""

    def __init__(self, process: Process, channel: Channel) -> None:
        self._process = process
        self._channel = channel

    @classmethod
    @asynccontextmanager
    async def started(cls, assignment: Assignment) -> AsyncIterator[Self]:
        """Start a process, tell it its part, and end it afterwards."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "im_bench.run.worker", str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # a Ctrl-C is the coordinator's to pass on
            )  # fmt: skip
        channel = await Channel.over(ours)
        try:
            channel.send(assignment)
            yield cls(process, channel)
        finally:
            await channel.close()
            await _end(process)

    def begin(self, step: BeginStep) -> None:
        """Tell it to take a step."""
        self._channel.send(step)

    def stop(self) -> None:
        """Tell it to end the load."""
        self._channel.send(Stop())

    async def receive(self) -> Any:  # noqa: ANN401 - any of the messages
        """What it tells next.

        Raises:
            RunFailedError: it cannot go on.
            GeneratorBugError: it failed in a way it should not.
        """
        try:
            message = await self._channel.receive()
        except ChannelClosedError as error:
            code = await self._process.wait()
            raise GeneratorBugError(f"a generator process ended by itself with code {code}") from error
        if isinstance(message, Failed):
            if message.expected:
                raise RunFailedError(message.reason, message.trouble)
            raise GeneratorBugError(message.reason)
        return message


async def _end(process: Process) -> None:
    """Wait for a process that was told to end, and make it."""
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
