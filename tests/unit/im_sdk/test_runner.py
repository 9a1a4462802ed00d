"""A session on real time, with sockets made by hand."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest

from im_sdk._credentials import AccessToken
from im_sdk._errors import ImError, UnreachableError
from im_sdk._events import ConnectionState
from im_sdk._runner import Runner
from im_sdk._session import Session
from im_sdk._settings import SessionSettings
from im_sdk._transport import Socket
from tests.sdk_support.people import eventually


class Pipe:
    """A socket whose other end is the test."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.incoming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.code = 1006
        self.closes = 0

    async def send(self, data: bytes) -> None:
        self.sent.append(data)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (data := await self.incoming.get()) is not None:
            yield data

    async def close(self, code: int) -> None:
        self.closes += 1
        self.incoming.put_nowait(None)

    def closed(self) -> tuple[int, str]:
        return self.code, ""


class Stage:
    """A runner, and the sockets it opened."""

    def __init__(self, *, token: AccessToken, renewable: bool = False) -> None:
        self.pipes: list[Pipe] = []
        self.failures: list[Exception] = []
        self.opening = asyncio.Event()
        self.block = False
        self.refreshed = 0
        self.session = Session(
            SessionSettings(connect_timeout_s=0.1),
            access=token,
            renewable=renewable,
            source=random.Random(1),
            now=asyncio.get_running_loop().time(),
            wall_ms=time.time_ns() // 1_000_000,
        )
        self.runner = Runner(
            self.session,
            connect=self.connect,
            refresh=self.refresh,
            on_commands=lambda _commands: None,
            on_progress=self.session.take_events,
        )

    async def connect(self) -> Socket:
        self.opening.set()
        if self.block:
            await asyncio.Event().wait()
        if self.failures:
            raise self.failures.pop(0)
        self.pipes.append(Pipe())
        return self.pipes[-1]

    async def refresh(self) -> AccessToken:
        self.refreshed += 1
        if self.refreshed == 1:
            raise UnreachableError.because("no route")
        return AccessToken("new", 0)


async def test_a_socket_is_opened_greeted_and_closed() -> None:
    stage = Stage(token=AccessToken("token", 0))
    running = asyncio.ensure_future(stage.runner.run())
    stage.session.start(stage.runner.now())
    await eventually(lambda: stage.pipes and stage.pipes[0].sent)
    stage.session.close(stage.runner.now())
    stage.runner.pump()
    stage.runner.stop()
    await running
    assert stage.pipes[0].closes


@pytest.mark.parametrize("failure", [UnreachableError.because("no route"), OSError("boom")])
async def test_whatever_opening_raises_is_followed_by_another_try(failure: Exception) -> None:
    stage = Stage(token=AccessToken("token", 0))
    stage.failures = [failure]
    stage.session.start(stage.runner.now())
    running = asyncio.ensure_future(stage.runner.run())
    await eventually(lambda: len(stage.pipes) == 1)
    assert isinstance(stage.session.error, ImError)
    stage.session.close(stage.runner.now())
    stage.runner.pump()
    stage.runner.stop()
    await running


async def test_a_socket_that_does_not_open_is_given_up() -> None:
    stage = Stage(token=AccessToken("token", 0))
    stage.block = True
    stage.session.start(stage.runner.now())
    running = asyncio.ensure_future(stage.runner.run())
    await eventually(lambda: stage.session.state is ConnectionState.WAITING)
    stage.runner.stop()
    await running


async def test_a_socket_that_ends_is_reported_with_its_code() -> None:
    stage = Stage(token=AccessToken("token", 0))
    stage.session.start(stage.runner.now())
    running = asyncio.ensure_future(stage.runner.run())
    await eventually(lambda: stage.pipes and stage.pipes[0].sent)
    stage.pipes[0].code = 4502
    stage.pipes[0].incoming.put_nowait(None)
    await eventually(lambda: stage.session.state is ConnectionState.CLOSED)
    stage.runner.stop()
    await running


async def test_tokens_are_renewed_and_tried_again() -> None:
    stage = Stage(token=AccessToken("old", 1), renewable=True)
    stage.session.start(stage.runner.now())
    running = asyncio.ensure_future(stage.runner.run())
    await eventually(lambda: stage.pipes and stage.pipes[0].sent)
    assert stage.refreshed == 2
    assert b"new" in stage.pipes[0].sent[0]
    stage.runner.stop()
    await running


async def test_a_defect_ends_it_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(token=AccessToken("token", 0))
    stage.session.start(stage.runner.now())
    running = asyncio.ensure_future(stage.runner.run())
    await eventually(lambda: stage.pipes and stage.pipes[0].sent)
    monkeypatch.setattr(stage.session.inbox.puller, "connection_lost", lambda: 1 / 0)
    stage.pipes[0].incoming.put_nowait(None)
    with pytest.raises(ExceptionGroup):
        await running
