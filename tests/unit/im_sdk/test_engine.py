"""Futures, cancellation and defects of a running session."""

import asyncio
from pathlib import Path

import pytest

from im_sdk import ClosedError, InternalError, LocalStore, MessageReceived, MessageSent, SendFailed, SessionSettings
from im_sdk._error_table import ErrorNumber
from tests.sdk_support.live_server import LiveServer
from tests.sdk_support.model_server import error
from tests.sdk_support.people import eventually, signed_in, until


@pytest.fixture(params=["store", "no store"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, LocalStore]:
    return {"store": LocalStore(tmp_path / "store")} if request.param == "store" else {}


async def test_a_send_that_was_not_written_is_taken_back(live: LiveServer, options: dict[str, LocalStore]) -> None:
    async with await signed_in(live, "ada", **options) as ada:
        log = live.model.make({1, 2})
        live.silent = True
        first = asyncio.ensure_future(ada.send(log.conversation_id, "written"))
        await eventually(lambda: log.entries)
        second = asyncio.ensure_future(ada.send(log.conversation_id, "waiting"))
        await eventually(lambda: ada._engine is not None and len(ada._engine.session.outbox) == 2)
        second.cancel()
        await asyncio.wait({second})
        live.silent = False
        live.flush()
        assert (await first).seq == 1
        await ada.send(log.conversation_id, "third")
        assert [entry.content.text.text for entry in log.entries] == ["written", "third"]


async def test_a_cancelled_send_that_was_written_goes_on(live: LiveServer, options: dict[str, LocalStore]) -> None:
    async with await signed_in(live, "ada", **options) as ada:
        log = live.model.make({1, 2})
        live.silent = True
        sending = asyncio.ensure_future(ada.send(log.conversation_id, "written"))
        await eventually(lambda: log.entries)
        sending.cancel()
        await asyncio.wait({sending})
        live.silent = False
        live.flush()
        assert (await until(ada.events(), MessageSent)).message.text == "written"


async def test_a_refusal_that_nobody_awaits_is_an_event(live: LiveServer, options: dict[str, LocalStore]) -> None:
    async with await signed_in(live, "ada", **options) as ada:
        log = live.model.make({1, 2})
        live.model.refuse = lambda _c, operation, _r: error(ErrorNumber.MUTED) if operation == "send" else None
        live.silent = True
        sending = asyncio.ensure_future(ada.send(log.conversation_id, "muted"))
        await eventually(lambda: any(frame.HasField("send") for frame in live.lines[0].connection.requests))
        sending.cancel()
        await asyncio.wait({sending})
        live.silent = False
        live.flush()
        failed = await until(ada.events(), SendFailed)
        assert failed.error.number == ErrorNumber.MUTED


async def test_an_id_too_old_is_replaced_on_disk_before_it_is_sent(
    live: LiveServer, options: dict[str, LocalStore]
) -> None:
    async with await signed_in(live, "ada", **options) as ada:
        log = live.model.make({1, 2})
        refusals = [error(ErrorNumber.TOO_OLD)]
        live.model.refuse = lambda *_: refusals.pop() if refusals else None
        sent = await ada.send(log.conversation_id, "patience")
        assert log.entries[0].client_message_id == sent.client_message_id


async def test_a_defect_fails_everybody_who_waits(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await signed_in(live, "ada")
    log = live.model.make({1, 2})
    assert ada._engine is not None
    monkeypatch.setattr(ada._engine.session.inbox, "take_entry", lambda *_: 1 / 0)
    with pytest.raises(InternalError):
        await ada.send(log.conversation_id, "boom")
    with pytest.raises(InternalError):
        async for _ in ada.events():
            pass
    with pytest.raises(ClosedError):
        await ada.send(log.conversation_id, "after")
    await ada.close()


async def test_a_store_that_fails_ends_the_engine_loudly(live: LiveServer, tmp_path: Path) -> None:
    """Showing messages that are not kept would lose them at the next start."""
    store = LocalStore(tmp_path / "store")
    ada = await signed_in(live, "ada", store=store)
    assert store._connection is not None
    log = live.model.make({1, 2})
    store._connection.execute("DROP TABLE message")
    live.model.append(log, 2, "hello")
    live.flush()
    with pytest.raises(InternalError):
        await until(ada.events(), MessageReceived)
    await ada.close()


async def test_closing_twice(live: LiveServer, options: dict[str, LocalStore]) -> None:
    ada = await signed_in(live, "ada", **options)
    await ada.close()
    await ada.close()


async def test_many_sends_go_in_few_messages(live: LiveServer) -> None:
    """What is written while a write is under way goes together."""
    async with await signed_in(live, "ada", settings=SessionSettings(pipeline=500)) as ada:
        log = live.model.make({1, 2})
        async with asyncio.TaskGroup() as tasks:
            for number in range(200):
                tasks.create_task(ada.send(log.conversation_id, f"{number}"))
        assert [entry.content.text.text for entry in log.entries] == [f"{number}" for number in range(200)]
