"""The client over real sockets, against a server from a script."""

import asyncio

import pytest

from im_sdk import (
    Client,
    ClosedError,
    ConnectionState,
    ConnectionStateChanged,
    DeniedError,
    Kicked,
    MessageReceived,
    MessageSent,
    UnavailableError,
)
from im_sdk._error_table import CloseCode, ErrorNumber
from tests.sdk_support.live_server import LiveServer, refusal
from tests.sdk_support.model_server import error
from tests.sdk_support.people import FAST, signed_in, until


async def test_sends_survive_broken_connections(live: LiveServer) -> None:
    """Each connection is cut after a few sends: all are stored once, in order."""
    async with await signed_in(live, "ada") as ada:
        log = live.model.make({1, 2})
        count = 0

        def cut(*_: object) -> None:
            nonlocal count
            count += 1
            if count % 4 == 0:
                asyncio.get_running_loop().call_soon(live.abort_all)

        live.model.refuse = lambda _conn, operation, _request: cut() if operation == "send" else None
        texts = [f"{number}" for number in range(12)]
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            for text in texts:
                tasks.create_task(ada.send(log.conversation_id, text))
        assert [entry.content.text.text for entry in log.entries] == texts


async def test_a_busy_server_is_asked_again(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada:
        log = live.model.make({1})
        refusals = [error(ErrorNumber.OVERLOADED, retry_after_ms=10)] * 2
        live.model.refuse = lambda *_: refusals.pop() if refusals else None
        sent = await ada.send(log.conversation_id, "patience")
        assert sent.seq == 1
        assert not refusals


async def test_wrong_credentials(live: LiveServer) -> None:
    async with Client(live.url) as client:
        with pytest.raises(DeniedError) as caught:
            await client.login("nobody", "wrong password")
        assert caught.value.number == ErrorNumber.CREDENTIALS_WRONG


async def test_registration_is_repeated_under_one_operation_id(live: LiveServer) -> None:
    """A busy server's refusal is followed by the same request, so that one account is made."""
    refusals = [(503, refusal(ErrorNumber.OVERLOADED))]
    live.http_rule = lambda _path: refusals.pop() if refusals else None
    async with Client(live.url) as client:
        user = await client.register("ada", "correct horse")
    assert user.handle == "ada"
    keys = {key for _, _, _, key in live.calls}
    assert len(live.calls) == 2
    assert len(keys) == 1
    assert keys != {""}


async def test_a_kick_ends_the_session(live: LiveServer) -> None:
    """Events end with Kicked and CLOSED; what waits fails; a person's act comes back."""
    async with await signed_in(live, "ada") as ada:
        log = live.model.make({1})
        await ada.send(log.conversation_id, "before")
        live.close_all(CloseCode.KICKED)
        async with asyncio.timeout(10):
            events = [event async for event in ada.events()]
        assert isinstance(events[-2], Kicked)
        assert events[-1] == ConnectionStateChanged(ConnectionState.CLOSED, events[-1].error)
        with pytest.raises(ClosedError) as caught:
            await ada.send(log.conversation_id, "after")
        assert caught.value.number == ErrorNumber.KICKED
        await ada.connect(take_over=True)
        assert live.lines[-1].connection.requests[0].hello.take_over
        assert (await ada.send(log.conversation_id, "again")).seq == 2


async def test_close_fails_what_waits(live: LiveServer) -> None:
    ada = await signed_in(live, "ada")
    log = live.model.make({1})
    live.silent = True
    waiting = asyncio.ensure_future(ada.send(log.conversation_id, "into the void"))
    await asyncio.sleep(0)
    await ada.close()
    with pytest.raises(ClosedError):
        await waiting
    with pytest.raises(ClosedError):
        await ada.send(log.conversation_id, "too late")
    assert [event async for event in ada.events()][-1] == ConnectionStateChanged(ConnectionState.CLOSED)


async def test_an_operation_without_an_answer_has_a_deadline(live: LiveServer) -> None:
    async with Client(live.url, request_timeout_s=0.2) as ada:
        await ada.register("ada", "correct horse")
        await ada.connect()
        live.silent = True
        with pytest.raises(UnavailableError) as caught:
            await ada.open_direct(2)
        assert caught.value.number == ErrorNumber.DEADLINE_EXCEEDED


async def test_a_slow_application_loses_no_message(live: LiveServer) -> None:
    """Far more messages than the queue holds come before the first is taken; answers still arrive meanwhile."""
    async with Client(live.url, settings=FAST, events_limit=10) as ada:
        log = live.model.make({1, 2})
        await ada.register("ada", "correct horse")
        await ada.connect()
        for number in range(100):
            live.model.append(log, 2, f"{number}")
        live.flush()
        sent = await ada.send(log.conversation_id, "still answered")
        texts: list[str | None] = []
        async with asyncio.timeout(20):
            async for event in ada.events():
                if isinstance(event, MessageReceived | MessageSent):
                    texts.append(event.message.text)
                    if event.message.seq == sent.seq:
                        break
        assert texts == [*(f"{number}" for number in range(100)), "still answered"]


async def test_events_have_one_reader(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada:
        events = ada.events()
        while not isinstance(event := await anext(events), ConnectionStateChanged) or event.state.value != "online":
            pass
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await anext(ada.events())
        waiting.cancel()


async def test_nobody_logged_in(live: LiveServer) -> None:
    async with Client(live.url) as client:
        with pytest.raises(DeniedError):
            await client.connect()


async def test_a_handshake_refused_for_now_is_tried_again(live: LiveServer) -> None:
    live.refuse_handshake = (503, {"Retry-After": "0"})
    async with Client(live.url) as client:
        await client.register("ada", "correct horse")
        connecting = asyncio.ensure_future(client.connect())
        while client.state is not ConnectionState.WAITING:
            await until(client.events(), ConnectionStateChanged)
        live.refuse_handshake = None
        async with asyncio.timeout(10):
            await connecting
        assert client.state is ConnectionState.ONLINE
