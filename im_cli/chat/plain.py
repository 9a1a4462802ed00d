r"""`im chat --plain`: each line of the input is a message, each message of others is a line of the output.

    HH:MM @name: text

`name` is the handle, or a guest's name; in `text` a line break is `\n` and a backslash is `\\`. Empty lines of the
input are passed over. What is for people goes to stderr.
"""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import tzinfo
from typing import BinaryIO, Final, TextIO

from im_cli.chat import times
from im_cli.chat.clean import escaped
from im_cli.chat.entry import Door, Entrance
from im_cli.chat.notices import message_text
from im_cli.chat.people import People
from im_cli.chat.words import words_for
from im_cli.exit_code import CommandError, ExitCode
from im_sdk import Client, ClosedError, ErrorNumber, ImError, Message, MessageReceived, UnavailableError

UNDER_WAY: Final = 100
"""Messages without an acknowledgement; the input waits beyond."""
LINES_AHEAD: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainOptions:
    """What the flags said."""

    handle: str = ""
    guest: str = ""
    password: str = ""
    register: bool = False
    to: str = ""
    conversation: int = 0
    world: bool = False
    wait_s: float = 0
    """Listen so long after the end of the input."""
    follow: bool = False
    timeout_s: float = 30

    def check(self) -> None:
        """Exactly one conversation is named, and the account can be got into.

        Raises:
            CommandError: USAGE.
        """
        if sum((bool(self.to), bool(self.conversation), self.world)) != 1:
            raise CommandError(
                "--plain needs one conversation",
                code=ExitCode.USAGE,
                advice="name it with --to @handle, --conversation ID or --world",
            )
        if self.register and not (self.handle and self.password):
            raise CommandError(
                "--register needs --handle and a password", code=ExitCode.USAGE, advice="put it into IM_CHAT_PASSWORD"
            )


def received_line(message: Message, people: People, zone: tzinfo | None) -> str:
    """A message of somebody, on one line."""
    name = people.plain_name(message.sender_id)
    return f"{times.clock(message.server_time, zone)} @{name}: {escaped(message_text(message))}"


async def run_plain(door: Door, options: PlainOptions, source: BinaryIO, output: TextIO) -> ExitCode:
    """Talk until the end of the input, and then as long as the options say.

    Raises:
        CommandError: the account or the conversation cannot be got at.
    """
    options.check()
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(options.timeout_s):
                entrance = await _come_in(stack, door, options)
                await entrance.client.connect()
                conversation_id = await _find(entrance.client, options)
        except TimeoutError:
            raise _no_answer(door.url) from None
        except ImError as error:
            raise _refusal(error, door.url) from error
        talk = _Talk(entrance, conversation_id, options, output)
        code = await talk.run(source)
        entrance.people.save()
        return code


class _Talk:
    """A connected account in one conversation."""

    def __init__(self, entrance: Entrance, conversation_id: int, options: PlainOptions, output: TextIO) -> None:
        self._client = entrance.client
        self._people = entrance.people
        self._conversation_id = conversation_id
        self._options = options
        self._output = output
        self._free = asyncio.Semaphore(UNDER_WAY)
        self._sends: set[asyncio.Task[None]] = set()
        self._code = ExitCode.DONE
        self._stop = asyncio.Event()

    async def run(self, source: BinaryIO) -> ExitCode:
        """Read, send and listen."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        async with asyncio.TaskGroup() as tasks:
            listener = tasks.create_task(self._listen(), name="im chat listener")
            reader = tasks.create_task(self._read(source, tasks), name="im chat reader")
            stopper = tasks.create_task(self._stop.wait(), name="im chat stop")
            await asyncio.wait({reader, stopper}, return_when=asyncio.FIRST_COMPLETED)
            reader.cancel()
            await self._finish_sending()
            if not self._stop.is_set() and (self._options.follow or self._options.wait_s):
                await asyncio.wait({stopper}, timeout=None if self._options.follow else self._options.wait_s)
            listener.cancel()
            stopper.cancel()
        return self._code

    async def _read(self, source: BinaryIO, tasks: asyncio.TaskGroup) -> None:
        async for line in _lines(source):
            if line.strip():
                await self._free.acquire()
                task = tasks.create_task(self._send(line), name="im chat send")
                self._sends.add(task)
                task.add_done_callback(self._sends.discard)

    async def _send(self, text: str) -> None:
        try:
            await self._client.send(self._conversation_id, text)
        except ClosedError as error:
            self._fail(words_for(error), ExitCode.UNREACHABLE)
        except ImError as error:
            self._fail(words_for(error), ExitCode.UNREACHABLE if error.retryable else ExitCode.REFUSED)
        finally:
            self._free.release()

    async def _finish_sending(self) -> None:
        """Wait for the acknowledgements; what was never written to the network is taken back."""
        if not self._sends:
            return
        _, late = await asyncio.wait(set(self._sends), timeout=self._options.timeout_s)
        for task in late:
            task.cancel()
        if late:
            self._fail(f"{len(late)} messages were not acknowledged in time.", ExitCode.UNREACHABLE)
            await asyncio.wait(late)

    async def _listen(self) -> None:
        try:
            async for event in self._client.events():
                if isinstance(event, MessageReceived) and event.message.conversation_id == self._conversation_id:
                    await self._print(event.message)
        except ClosedError as error:
            self._fail(words_for(error), ExitCode.REFUSED)
        self._stop.set()

    async def _print(self, message: Message) -> None:
        if self._people.find(message.sender_id) is None:
            with contextlib.suppress(ImError):  # then the line has the number instead of the name
                await self._people.learn(self._client)
        try:
            print(received_line(message, self._people, None), file=self._output, flush=True)
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._output.fileno())
            self._stop.set()

    def _fail(self, words: str, code: ExitCode) -> None:
        print(f"im: {words}", file=sys.stderr, flush=True)
        if self._code is ExitCode.DONE:
            self._code = code


async def _come_in(stack: AsyncExitStack, door: Door, options: PlainOptions) -> Entrance:
    account = door.folder.find(handle=options.handle, guest=options.guest)
    if account is not None and not options.register:
        entrance = await stack.enter_async_context(door.return_as(account))
        if entrance is not None:
            return entrance
        await stack.aclose()
    if options.guest:
        tokens = await door.guest(options.guest)
    elif options.register:
        tokens = await door.register(options.handle, options.password)
    elif options.handle and options.password:
        tokens = await door.login(options.handle, options.password)
    else:
        raise CommandError(
            "nobody is logged in here",
            code=ExitCode.USAGE,
            advice="name --handle with IM_CHAT_PASSWORD, or --guest NAME, or log in once with `im chat`",
        )
    return await stack.enter_async_context(door.enter(tokens))


async def _find(client: Client, options: PlainOptions) -> int:
    """The conversation that the flags name.

    Raises:
        CommandError: REFUSED, this account has none such.
        ImError: nobody has the handle.
    """
    if options.to:
        found = (await client.open_direct(options.to)).conversation_id
    elif options.world:
        found = client.world_conversation_id
    else:
        found = options.conversation if client.conversation(options.conversation) is not None else 0
    if not found:
        raise CommandError(
            "there is no world room here"
            if options.world
            else f"this account has no conversation {options.conversation}",
            code=ExitCode.REFUSED,
        )
    client.view(found)
    return found


async def _lines(source: BinaryIO) -> AsyncIterator[str]:
    """The input, line by line; a thread reads it, since files cannot be awaited.

    The thread is a daemon: a read that never ends does not keep the program.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(LINES_AHEAD)  # full: the thread waits

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants more
            for line in iter(source.readline, b""):
                asyncio.run_coroutine_threadsafe(queue.put(line), loop).result()
            asyncio.run_coroutine_threadsafe(queue.put(None), loop).result()

    threading.Thread(target=read, name="im chat input", daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")


def _no_answer(url: str) -> CommandError:
    return CommandError(
        f"no answer from {url}", code=ExitCode.UNREACHABLE, advice="check the address, and that the cluster runs"
    )


def _refusal(error: ImError, url: str) -> CommandError:
    if error.name == "UNREACHABLE" or (isinstance(error, UnavailableError) and error.retryable):
        return _no_answer(url)
    advice = "log in again with `im chat`" if error.number == ErrorNumber.UNAUTHENTICATED else ""
    return CommandError(words_for(error), code=ExitCode.REFUSED, advice=advice)
